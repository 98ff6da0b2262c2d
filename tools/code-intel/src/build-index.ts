import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pythonSymbols } from './python-symbols.ts';
import { SymbolIndex } from './symbol-index.ts';
import { typescriptSymbols } from './typescript-symbols.ts';

/** The repository this tool belongs to. */
const root = fileURLToPath(new URL('../../..', import.meta.url));
export const indexPath = process.env.FLASH_CODE_INTEL_INDEX ?? join(root, '.turbo/code-intel.sqlite');

/** Indexes what git knows of, and what is new. */
export function buildIndex(path = indexPath): SymbolIndex {
  const listed = execFileSync(
    'git',
    ['ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate'],
    {
      cwd: root,
      encoding: 'utf8',
    },
  );
  const sources = listed.split('\n').filter((file) => /^(?:packages|apps|examples|tools)\//.test(file));
  const ending = (ends: string): readonly string[] =>
    sources
      .filter((file) => file.endsWith(ends) && !/\.test\.|\/test\//.test(file))
      .map((file) => join(root, file));
  return SymbolIndex.create(path, [
    ...typescriptSymbols(root, ending('.ts')),
    ...pythonSymbols(root, ending('.py')),
  ]);
}
