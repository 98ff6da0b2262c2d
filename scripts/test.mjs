/**
 * Runs the tests: jest over the TypeScript, then flash_runner's own tests on every Python found: npm test
 *
 * --unit takes the tests beside the sources, --integration those in test/ directories; other flags are jest's and narrow that down further
 * (--testPathPatterns, --testNamePattern, --bail). With flags jest runs alone. --required makes a Python that is missing a failure.
 * FLASH_TEST_LIMIT_MINUTES ends a run that hangs.
 */
import { join } from 'node:path';
import { runBounded } from './lib/bounded-run.mjs';
import { fail, root, show } from './lib/run.mjs';

const ownFlags = ['--unit', '--integration', '--required'];
const given = process.argv.slice(2);
const flags = given.filter((argument) => !ownFlags.includes(argument));
const isRequired = given.includes('--required');
const limitMinutes = Number(process.env.FLASH_TEST_LIMIT_MINUTES ?? 60);
if (!(limitMinutes > 0)) fail('FLASH_TEST_LIMIT_MINUTES must be a number of minutes above 0');

/** Which files are tests at all: jest takes those that are, and that match the patterns besides. */
const testMatch = [
  ['--unit', '<rootDir>/{packages,apps,tools,scripts}/**/{src,lib}/**/*.test.{ts,mjs}'],
  ['--integration', '<rootDir>/{packages,apps,tools}/*/test/**/*.test.ts'],
].flatMap(([flag, pattern]) => (given.includes(flag) ? ['--testMatch', pattern] : []));
const jest = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  join(root, 'node_modules/jest/bin/jest.js'),
  ...testMatch,
  ...flags,
];
const env = { ...process.env, FLASH_PYTHON: process.env.FLASH_TEST_PYTHON ?? join(root, '.venv/bin/python') };
const { status, isOverLimit } = await runBounded(process.execPath, jest, {
  env,
  limitMs: limitMinutes * 60_000,
});
if (isOverLimit)
  fail(
    `the tests had not ended after ${limitMinutes} minutes and were killed: a test waits without a bound, or something keeps jest alive; ` +
      'find it with npm test -- --testPathPatterns NAME --detectOpenHandles; FLASH_TEST_LIMIT_MINUTES sets the limit',
  );
if (status !== 0) process.exit(status);
if (flags.length === 0 && testMatch.length === 0)
  process.exit(
    show(process.execPath, [join(root, 'scripts/test-python.mjs'), ...(isRequired ? ['--required'] : [])], {
      env,
    }),
  );
