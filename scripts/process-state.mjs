/**
 * The table in docs/guides/operate.md of what one request can't leave to the next, made out of the titles of flash_runner's kinds of process
 * state and of its checks. `--check` only says whether it is up to date.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fill, table } from './lib/markdown-tables.mjs';
import { fail, root } from './lib/run.mjs';

const state = 'packages/infra-python-bridge/python/flash_runner/state';
const neverRestored = ' (never restored: the runner ends)';

const kinds = modulesOf('kinds').map((module) => {
  const title = text(module, 'title');
  if (title.endsWith(neverRestored)) return [title.slice(0, -neverRestored.length), replacedFor('state')];
  return [
    title,
    module.source.includes('raise Irreversible') ? `put back, else ${replacedFor('state')}` : 'put back',
  ];
});
const checks = modulesOf('checks').map((module) => [
  text(module, 'title'),
  replacedFor(text(module, 'name')),
]);
const rows = table(['what a request changes or leaves behind', 'before the next one'], [...kinds, ...checks]);
fill(
  'docs/guides/operate.md',
  { '<!-- process state -->': rows },
  { end: '<!-- end of process state -->', command: 'process-state' },
);

function replacedFor(kind) {
  return `the runner is replaced (\`${kind}\`)`;
}

function modulesOf(room) {
  const directory = join(root, state, room);
  return readdirSync(directory)
    .filter((file) => file.endsWith('.py') && file !== '__init__.py')
    .sort()
    .map((file) => ({
      file: `${state}/${room}/${file}`,
      source: readFileSync(join(directory, file), 'utf8'),
    }));
}

/** The text of a class attribute. */
function text({ file, source }, attribute) {
  const found = new RegExp(`^    ${attribute} = "(.+)"$`, 'm').exec(source)?.[1];
  return found ?? fail(`${file} has no ${attribute}`);
}
