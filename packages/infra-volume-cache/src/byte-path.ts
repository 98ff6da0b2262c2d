import { isUtf8 } from 'node:buffer';

/**
 * A path below some directory, one character for each of its bytes: names on disk need not be UTF-8. Parts are separated by one slash; the
 * directory itself is ''.
 */
export type BytePath = string;

const ascii = /^\p{ASCII}*$/u;
const longestPath = 4096;
/** Nothing between two slashes, the directory itself or the one above, a name that is too long, or a zero. */
const unsafePart = /(?:^|\/)(?:\.{0,2}(?:\/|$)|[^/]{256})|\0/;

/** What the file system is given for a byte path. */
export function diskPath(root: string, path: BytePath): string | Buffer {
  if (ascii.test(path)) return path === '' ? root : `${root}/${path}`;
  return Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, 'latin1')]);
}

/** The bytes of a path. */
export function pathBytes(path: BytePath): Buffer {
  return Buffer.from(path, 'latin1');
}

/** How a path is written in JSON: as text where it is text, else as its bytes. */
export type WrittenPath = string | { readonly base64: string };

export function writePath(path: BytePath): WrittenPath {
  if (ascii.test(path)) return path;
  const bytes = pathBytes(path);
  return isUtf8(bytes) ? bytes.toString('utf8') : { base64: bytes.toString('base64') };
}

export function readPath(written: WrittenPath): BytePath {
  if (typeof written === 'object') return Buffer.from(written.base64, 'base64').toString('latin1');
  return ascii.test(written) ? written : Buffer.from(written, 'utf8').toString('latin1');
}

/** Whether a path stays below the directory it is for, and can be one at all. */
export function isSafePath(path: BytePath): boolean {
  return path !== '' && path.length <= longestPath && !unsafePart.test(path);
}

/** The directory a path is in; '' at the top. */
export function parentPath(path: BytePath): BytePath {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}
