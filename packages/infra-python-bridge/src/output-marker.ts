const randomBytes = 23;

/**
 * Ends a request's output. Begins with a byte that text does not have, so that hardly ever bytes are held back for it. It is to be told
 * from anything that is printed by chance, and no secret: the process that prints has it.
 */
export function newMarker(): Buffer {
  const marker = Buffer.alloc(1 + randomBytes);
  for (let index = 1; index <= randomBytes; index++) marker[index] = Math.floor(Math.random() * 256);
  return marker;
}
