import type { BytePath } from './byte-path.ts';

const compiled = /^(.*\/|)__pycache__\/([^/.]+)\.[^/]+\.pyc$/s;

/**
 * Of these paths, the Python sources whose compiled form is there: Python takes it only for a source of the very time that it was compiled
 * from. Nothing else in an environment goes by a file's time, and setting one takes as long as making a file.
 */
export function sourcesOfCompiled(paths: Iterable<BytePath>): Set<BytePath> {
  const sources = new Set<BytePath>();
  for (const path of paths) {
    const [, directory, module] = compiled.exec(path) ?? [];
    if (module !== undefined) sources.add(`${directory}${module}.py`);
  }
  return sources;
}
