import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail, root, run } from './run.mjs';

/** A table in Markdown; the formatter pads its cells. */
export function table(titles, rows) {
  const line = (cells) => `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(titles), line(titles.map(() => '---')), ...rows.map(line)].join('\n');
}

/**
 * The document with new contents between its markers.
 *
 * @param contents - by the marker that each stands behind; all end at the next `end`.
 * @throws Error when a marker is not there.
 */
export function filled(document, contents, end) {
  let made = document;
  for (const [begin, content] of Object.entries(contents)) {
    const from = made.indexOf(begin);
    const to = made.indexOf(end, from);
    if (from < 0 || to < 0) throw new Error(`it has no ${from < 0 ? begin : end}`);
    made = `${made.slice(0, from + begin.length)}\n\n${content}\n\n${made.slice(to)}`;
  }
  return made;
}

/** Whether two documents differ in more than the padding of tables. */
export function differ(one, other) {
  const plain = (text) => text.replace(/ +/g, ' ').replace(/-{3,}/g, '---');
  return plain(one) !== plain(other);
}

/**
 * Writes generated contents into a document, or, with `--check` on the command line, ends the script when they are not up to date.
 *
 * @param file - below the repository's directory.
 * @param command - the npm script that writes it.
 */
export function fill(file, contents, { end, command }) {
  const path = join(root, file);
  const before = readFileSync(path, 'utf8');
  let made;
  try {
    made = filled(before, contents, end);
  } catch (error) {
    fail(`${file}: ${error.message}`);
  }
  if (!differ(made, before)) return;
  if (process.argv.includes('--check')) fail(`the tables of ${file} are not up to date: npm run ${command}`);
  writeFileSync(path, made);
  run('format', join(root, 'node_modules/.bin/biome'), ['format', '--write', path]);
  console.log(`${file} was written`);
}
