import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  ftruncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import fc from 'fast-check';
import { diskPath } from '../src/byte-path.ts';

/** A random tree: what a test makes on the disk. */
export type Node =
  | { readonly kind: 'file'; readonly content: Buffer; readonly mode: number }
  | { readonly kind: 'sparse'; readonly holeKiB: number; readonly content: Buffer }
  | { readonly kind: 'symlink'; readonly target: string }
  | { readonly kind: 'twin'; readonly of: number }
  | {
      readonly kind: 'directory';
      readonly mode: number;
      readonly children: readonly (readonly [string, Node])[];
    };

const modes = fc.constantFrom(0o644, 0o600, 0o755, 0o444, 0o000, 0o4755);
/** One character a byte: plain ones, long ones, spaces and new lines, and such as are no UTF-8. */
const name = fc
  .oneof(
    fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme-ascii' }),
    fc
      .string({ minLength: 1, maxLength: 60, unit: 'grapheme' })
      .map((text) => Buffer.from(text).toString('latin1')),
    fc
      .uint8Array({ minLength: 1, maxLength: 40, min: 1 })
      .map((bytes) => Buffer.from(bytes).toString('latin1')),
    fc.integer({ min: 90, max: 255 }).map((length) => 'n'.repeat(length)),
    fc.constantFrom('a\nb', ' ', '-rf', '..a', 'ä'.repeat(60)),
  )
  .map((text) => text.replaceAll('/', '_').replaceAll('\0', '_').slice(0, 255))
  .filter(
    (text) =>
      text !== '.' && text !== '..' && !text.startsWith('.flash-') && text !== 'refs' && text !== '.no_exist',
  );

const content = fc.oneof(
  fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
  fc.integer({ min: 511, max: 300_000 }).map((size) => Buffer.alloc(size, size % 251)),
);

export const tree: fc.Arbitrary<Node & { kind: 'directory' }> = fc.letrec<{
  node: Node;
  directory: Node & { kind: 'directory' };
}>((tie) => ({
  node: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    fc.record({ kind: fc.constant('file' as const), content, mode: modes }),
    fc.record({ kind: fc.constant('sparse' as const), holeKiB: fc.integer({ min: 1, max: 700 }), content }),
    fc.record({ kind: fc.constant('symlink' as const), target: name }),
    fc.record({ kind: fc.constant('twin' as const), of: fc.nat(20) }),
    tie('directory'),
  ),
  directory: fc.record({
    kind: fc.constant('directory' as const),
    mode: fc.constantFrom(0o755, 0o700, 0o555, 0o2775),
    children: fc.uniqueArray(fc.tuple(name, tie('node')), { maxLength: 8, selector: ([text]) => text }),
  }),
})).directory;

/** Makes a tree's children in a directory that is there. */
export function make(root: string, node: Node & { kind: 'directory' }): void {
  const files: string[] = [];
  const visit = (path: string, { children }: Node & { kind: 'directory' }): void => {
    for (const [text, child] of children) {
      const below = path === '' ? text : `${path}/${text}`;
      const disk = diskPath(root, below);
      // A path may be longer than the system takes.
      if (below.length > 3000) continue;
      switch (child.kind) {
        case 'directory':
          mkdirSync(disk);
          visit(below, child);
          chmodSync(disk, child.mode);
          break;
        case 'file':
          writeFileSync(disk, child.content);
          chmodSync(disk, child.mode);
          files.push(below);
          break;
        case 'sparse': {
          const descriptor = openSync(disk, 'w');
          const hole = child.holeKiB * 1024;
          writeSync(descriptor, child.content, 0, child.content.length, hole);
          ftruncateSync(descriptor, 2 * hole + child.content.length);
          closeSync(descriptor);
          files.push(below);
          break;
        }
        case 'symlink':
          symlinkSync(Buffer.from(child.target, 'latin1'), disk);
          break;
        case 'twin': {
          const twin = files[child.of % Math.max(1, files.length)];
          if (twin !== undefined) linkSync(diskPath(root, twin), disk);
        }
      }
    }
  };
  visit('', node);
}

/** Everything that can be told of what is in a directory; hard links by the first path of each file. */
export function describeTree(root: string): Map<string, string> {
  const found = new Map<string, string>();
  const first = new Map<number, string>();
  const visit = (path: string): void => {
    for (const text of readdirSync(diskPath(root, path), 'latin1').sort()) {
      const below = path === '' ? text : `${path}/${text}`;
      const disk = diskPath(root, below);
      const stat = lstatSync(disk);
      const mode = (stat.mode & 0o7777).toString(8);
      if (stat.isDirectory()) {
        found.set(below, `directory ${mode}`);
        visit(below);
      } else if (stat.isSymbolicLink()) found.set(below, `link to ${readlinkSync(disk, 'latin1')}`);
      else {
        const twin = first.get(stat.ino);
        if (twin === undefined) first.set(stat.ino, below);
        const bytes = readFileSync(disk).toString('base64');
        found.set(below, `file ${mode} ${Math.round(stat.mtimeMs)} ${twin ?? ''} ${bytes}`);
      }
    }
  };
  visit('');
  return found;
}
