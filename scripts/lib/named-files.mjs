/** Names that stand for any file. */
const examples = new Set(['kebab-case.ts', 'x.test.ts']);

/**
 * Source files that a document names, in backticks, and that are not there.
 *
 * @param markdown - names a file by itself or with the end of its path.
 * @param files - paths of all that are there.
 */
export function missingFiles(markdown, files) {
  const named = [...markdown.matchAll(/`([\w./-]+\.(?:ts|tsx|mjs|py))`/g)].map(([, name]) => name);
  return named.filter(
    (name) => !examples.has(name) && !files.some((file) => file === name || file.endsWith(`/${name}`)),
  );
}
