/**
 * Measures the worker beside its comparators, alternating, after a warm-up: prints medians, spread and ratios, compares with the last
 * committed results, and writes bench/results/.
 *
 * Needs `wrk`, which root on Debian gets installed. Usage: npm run bench -- [--rounds N] [start] [lb] [queue] [runners] [memory] [endurance]
 */
import { parseArgs } from 'node:util';
import { coldStart } from './cold-start.mjs';
import { prepareComparators } from './comparators.mjs';
import { endurance } from './endurance.mjs';
import { idleMemory, loadBalancer, runners } from './load-balancer.mjs';
import { queue } from './queue.mjs';
import { Report } from './report.mjs';
import { fail } from '../scripts/lib/run.mjs';

const sections = { start: coldStart, memory: idleMemory, lb: loadBalancer, runners, queue, endurance };
const { values, positionals } = parseArgs({
  options: { rounds: { type: 'string', default: '5' } },
  allowPositionals: true,
});
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1)
  fail(`--rounds ${values.rounds}: expected a whole number from 1`);
const chosen = positionals.length > 0 ? positionals : Object.keys(sections);
for (const name of chosen)
  if (!(name in sections)) fail(`there is no section ${name}: choose of ${Object.keys(sections).join(', ')}`);

prepareComparators();
const report = new Report(rounds);
for (const name of chosen) await sections[name](report, rounds);
report.finish();
