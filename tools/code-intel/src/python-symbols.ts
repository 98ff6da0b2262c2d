import { execFileSync } from 'node:child_process';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CodeSymbol } from './code-symbol.ts';

const script = fileURLToPath(new URL('python_symbols.py', import.meta.url));
const mostBytes = 64 * 1024 * 1024;

/** Symbols of Python files, as Python's own parser sees them. */
export function pythonSymbols(root: string, files: readonly string[]): readonly CodeSymbol[] {
  if (files.length === 0) return [];
  const json = execFileSync('python3', [script, ...files], { encoding: 'utf8', maxBuffer: mostBytes });
  return (JSON.parse(json) as readonly CodeSymbol[]).map((symbol) => ({
    ...symbol,
    file: relative(root, symbol.file),
  }));
}
