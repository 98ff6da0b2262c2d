import { availableParallelism, homedir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';

const milliseconds = z.coerce.number().int().nonnegative();
const count = z.coerce.number().int().positive();

/** What to import ahead: what was recorded, nothing, or these. */
export type PreimportChoice = 'auto' | 'off' | readonly string[];

function readPreimport(text: string): PreimportChoice {
  if (text === 'auto' || text === 'off') return text;
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** Settings of the Python bridge by the environment variable that sets each. */
export const pythonBridgeSettingsSchema = z.object({
  FLASH_MAX_RUNNERS: count
    .default(8)
    .describe(
      'Most Python processes that run requests at once; by default FLASH_CONCURRENCY when that is more',
    ),
  FLASH_MAX_WAITING: count
    .default(1000)
    .describe('Most requests that wait for a runner; one more is refused (503)'),
  FLASH_MAX_INSTANCES: count
    .default(100)
    .describe('Most class instances kept alive; the least recently used one goes'),
  FLASH_INSTANCE_IDLE_MS: milliseconds
    .default(0)
    .describe('An instance unused for so long is dropped; 0: never'),
  FLASH_INSTANCE_CONCURRENCY: count
    .default(64)
    .describe('Most calls of one instance’s async methods that overlap; further ones wait'),
  FLASH_EXECUTION_TIMEOUT_MS: milliseconds.default(0).describe('Longest run of user code; 0: no bound'),
  FLASH_CANCEL_GRACE_MS: milliseconds
    .default(2000)
    .describe('Time a cancelled or timed-out run has to end by itself before its process is killed'),
  FLASH_MAX_OUTPUT_BYTES: count
    .default(1024 * 1024)
    .describe('Output kept per request: half from its head, half from its tail'),
  FLASH_MAX_RESPONSE_BYTES: count.default(256 * 1024 * 1024).describe('Largest encoded result of one run'),
  FLASH_STREAM_WINDOW: count
    .default(16)
    .describe('Chunks of a streaming handler that may be under way; then it is held back'),
  FLASH_RUNNER_IDLE_MS: milliseconds
    .default(60_000)
    .describe('A spare runner unused for so long ends; 0: never'),
  FLASH_SPIN_US: z.coerce
    .number()
    .int()
    .nonnegative()
    .default(() => (availableParallelism() > 1 ? 300 : 0))
    .describe(
      'Time a runner stays awake for the next request after one that was alone in the worker; 0: none',
    ),
  FLASH_ENVIRONMENT_IDLE_MS: milliseconds
    .default(600_000)
    .describe('An environment’s processes end when nothing has run there for so long; 0: never'),
  FLASH_CACHE_DIR: z
    .string()
    .default(() => join(homedir(), '.cache'))
    .describe('The worker’s cache directory, which the network volume keeps'),
  FLASH_PREIMPORT: z
    .string()
    .default('auto')
    .transform(readPreimport)
    .describe(
      'Modules that Python imports ahead of the first request, by name, separated by commas; auto: those that earlier requests took long to import; off: none',
    ),
  FLASH_PREIMPORT_MS: milliseconds.default(20_000).describe('Time those imports may take'),
  FLASH_PREIMPORT_MAX_BYTES: count.default(1024 ** 3).describe('Memory those imports may take, in bytes'),
  FLASH_START_TIMEOUT_MS: milliseconds.default(30_000).describe('Time Python has to start'),
});

export type PythonBridgeSettings = z.output<typeof pythonBridgeSettingsSchema>;
