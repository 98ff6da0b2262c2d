import picomatch from 'picomatch';
import type { BytePath } from './byte-path.ts';

/** Paths that the original worker does not keep either: references and negative answers of Hugging Face's cache, and the file that notes a hydration. */
const always = ['**/refs/**', '**/.no_exist/**', '.cache-last-hydrated'];
/** This worker's own files in the cache directory. */
export const ownPrefix = '.flash-';

/** Tells which paths below the cache directory are not kept. */
export function excluded(globs: readonly string[]): (path: BytePath) => boolean {
  const matches = picomatch([...always, ...globs], { dot: true, nonegate: true });
  return (path) => path.startsWith(ownPrefix) || matches(path);
}
