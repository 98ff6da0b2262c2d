/**
 * The tables of settings in README.md, made out of the schemas that read them. `--check` only says whether they are up to date.
 * Reads the sources, which no build has to precede: Node takes them by --conditions=source.
 */
import { lbSettingsSchema } from '../apps/lb-app/src/settings.ts';
import { qbSettingsSchema } from '../apps/qb-app/src/settings.ts';
import { runpodQueueSettingsSchema } from '../packages/infra-runpod/src/settings.ts';
import { gatewaySettingsSchema } from '../packages/queue-gateway/src/settings.ts';
import { workerSettingsSchema } from '../packages/worker-host/src/settings.ts';
import { fill, table } from './lib/markdown-tables.mjs';

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

fill(
  'README.md',
  Object.fromEntries(
    Object.entries(groups).map(([group, schema]) => [`<!-- settings: ${group} -->`, settingsTable(schema)]),
  ),
  { end: '<!-- end of settings -->', command: 'settings' },
);

function settingsTable(schema) {
  const rows = Object.entries(schema.shape)
    .filter(([, field]) => field.description !== undefined)
    .map(([name, field]) => [`\`${name}\``, defaultOf(name, field), field.description]);
  return table(['variable', 'default', 'meaning'], rows);
}

function defaultOf(name, { default: value }) {
  if (worded[name] !== undefined) return worded[name];
  const text = value === undefined ? '' : String(value);
  return text.length > longestDefault ? `${text.slice(0, longestDefault)}…` : text;
}
