import picomatch from 'picomatch';
import type { BytePath } from './byte-path.ts';

/** As in the original: references and negative answers of Hugging Face's cache are not kept, nor is its own mark of a hydration. */
const always = ['**/refs/**', '**/.no_exist/**', '.cache-last-hydrated'];
/** This worker's own files in the cache directory. */
export const ownPrefix = '.flash-';

/** Tells which paths below the cache directory are not kept. */
export function excluded(globs: readonly string[]): (path: BytePath) => boolean {
  const matches = picomatch([...always, ...globs], { dot: true, nonegate: true });
  return (path) => path.startsWith(ownPrefix) || matches(path);
}
