/**
 * Checks that what comments and documents cite of docs/reference/protocol.md is there: the page's path, a comma and a heading (several headings
 * are joined by "and" or commas), or a link to an anchor. Names each reference that leads nowhere. Checks too that source files which documents
 * name are there.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { missingFiles } from './lib/named-files.mjs';
import { brokenReferences, headingsOf } from './lib/protocol-references.mjs';
import { fail, root } from './lib/run.mjs';

const page = 'docs/reference/protocol.md';
const headings = headingsOf(readFileSync(join(root, page), 'utf8'));
const all = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
  cwd: root,
  encoding: 'utf8',
}).split('\0');
const files = all.filter((path) => /(\.(ts|tsx|mjs|py|md|in|hcl|yaml)|Dockerfile)$/.test(path));
const broken = files.flatMap((path) =>
  readIfThere(path, (text) => brokenReferences(text, headings).map((name) => `${path}: ${name}`)),
);
if (broken.length > 0)
  fail(`these references name no heading of ${page}:\n${broken.map((line) => `  ${line}`).join('\n')}`);

const missing = all
  .filter((path) => path.endsWith('.md') && path !== 'CHANGELOG.md' && path !== page)
  .flatMap((path) => readIfThere(path, (text) => missingFiles(text, all).map((name) => `${path}: ${name}`)));
if (missing.length > 0) fail(`these files are not there:\n${missing.map((line) => `  ${line}`).join('\n')}`);

/** A file that was removed but not committed is still listed. */
function readIfThere(path, use) {
  try {
    return use(readFileSync(join(root, path), 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}
