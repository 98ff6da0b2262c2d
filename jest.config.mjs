import { availableParallelism } from 'node:os';

/** Tests run on the sources: the `source` export condition of every workspace package points at its `src`. */
export default {
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2024', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    ],
  },
  testMatch: ['<rootDir>/{packages,apps,examples,tools,scripts}/**/*.test.{ts,mjs}'],
  modulePathIgnorePatterns: ['<rootDir>/.*/dist/'],
  setupFiles: process.env.FLASH_CHILD_COVERAGE ? ['<rootDir>/scripts/lib/child-coverage.mjs'] : [],
  // A bound for what hangs: a busy machine takes its time.
  testTimeout: 180_000,
  // Most of them wait for processes of their own: one at a time would leave a machine of two processors idle for half of the time.
  maxWorkers: Math.max(3, availableParallelism() - 1),
};
