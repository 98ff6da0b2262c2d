/**
 * What uv says it would install (`uv pip install --dry-run`), as requirements that name exactly these packages.
 *
 * @returns `undefined` when the text is not what is expected of uv, or leaves credentials of a URL out.
 */
export function plannedPackages(output: string): readonly string[] | undefined {
  if (/^Would make no changes$/m.test(output)) return [];
  if (/:\*+@/.test(output)) return undefined;
  const stated = /^Would install (\d+) packages?$/m.exec(output)?.[1];
  const pins = [...output.matchAll(/^ \+ (\S+==\S+|\S+ @ \S+)(?: \(from (\S+)\))?$/gm)].map(
    ([, pin = '', from]) => (from === undefined ? pin : `${pin.split('==', 1)[0]} @ ${from}`),
  );
  return Number(stated) === pins.length ? pins : undefined;
}
