/**
 * The tables of settings in README.md, made out of the schemas that read them. `--check` only says whether they are up to date.
 * Reads the sources, which no build has to precede: Node takes them by --conditions=source.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lbSettingsSchema } from '../apps/lb-app/src/settings.ts';
import { qbSettingsSchema } from '../apps/qb-app/src/settings.ts';
import { runpodQueueSettingsSchema } from '../packages/infra-runpod/src/settings.ts';
import { gatewaySettingsSchema } from '../packages/queue-gateway/src/settings.ts';
import { workerSettingsSchema } from '../packages/worker-host/src/settings.ts';
import { fail, root, run } from './lib/run.mjs';

const groups = {
  worker: workerSettingsSchema,
  'lb-app': lbSettingsSchema,
  'qb-app': qbSettingsSchema,
  queue: runpodQueueSettingsSchema,
  gateway: gatewaySettingsSchema,
};
/** Defaults that depend on the machine. */
const worded = {
  FLASH_SPIN_US: '300; 0 on one CPU',
  FLASH_STATE_DIR: '$TMPDIR/flash-worker',
  FLASH_CACHE_DIR: '~/.cache',
  FLASH_ENVIRONMENTS_DIR: '~/.flash/environments',
};
const longestDefault = 40;

const path = join(root, 'README.md');
const readme = readFileSync(path, 'utf8');
let made = readme;
for (const [group, schema] of Object.entries(groups)) {
  const [begin, end] = [`<!-- settings: ${group} -->`, '<!-- end of settings -->'];
  const from = made.indexOf(begin);
  if (from < 0) fail(`README.md has no ${begin}`);
  const to = made.indexOf(end, from);
  made = `${made.slice(0, from + begin.length)}\n\n${table(schema)}\n\n${made.slice(to)}`;
}
if (plain(made) !== plain(readme)) {
  if (process.argv.includes('--check'))
    fail('the settings in README.md are not up to date: npm run settings');
  writeFileSync(path, made);
  run('format', join(root, 'node_modules/.bin/biome'), ['format', '--write', path]);
  console.log('README.md was written');
}

/** The formatter pads the cells of a table. */
function plain(text) {
  return text.replace(/ +/g, ' ').replace(/-{3,}/g, '---');
}

function table(schema) {
  const rows = Object.entries(schema.shape)
    .filter(([, field]) => field.description !== undefined)
    .map(
      ([name, field]) =>
        `| \`${name}\` | ${defaultOf(name, field)} | ${field.description.replaceAll('|', '\\|')} |`,
    );
  return ['| variable | default | meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

function defaultOf(name, { default: value }) {
  if (worded[name] !== undefined) return worded[name];
  const text = value === undefined ? '' : String(value);
  return text.length > longestDefault ? `${text.slice(0, longestDefault)}…` : text;
}
