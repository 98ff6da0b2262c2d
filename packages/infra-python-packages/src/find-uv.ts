import { access, constants } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Path of uv: as configured, else beside the interpreter, else on the path; `undefined` when there is none. */
export async function findUv(
  configured: string | undefined,
  python: string,
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  const places = [
    configured,
    join(dirname(python), 'uv'),
    ...(env.PATH ?? '').split(':').map((directory) => join(directory, 'uv')),
  ];
  for (const place of places) {
    if (place === undefined) continue;
    const found = await access(place, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return place;
  }
  return undefined;
}
