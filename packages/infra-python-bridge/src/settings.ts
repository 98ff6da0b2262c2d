import { availableParallelism, homedir } from 'node:os';
import { join } from 'node:path';
import {
  directory,
  choice,
  defineSettings,
  milliseconds,
  nonNegativeInteger,
  positiveInteger,
  read,
  type SettingsOf,
} from '@flash/settings';
import * as z from 'zod';

/** What to import ahead: what was recorded, nothing, or these. */
export type PreimportChoice = 'auto' | 'off' | readonly string[];

function readPreimport(names: string): PreimportChoice {
  if (names === 'auto' || names === 'off') return names;
  return names
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** Settings of the Python bridge by the environment variable that sets each. */
export const pythonBridgeSettingsSchema = defineSettings({
  FLASH_MAX_RUNNERS: positiveInteger(
    8,
    'Most Python processes that run requests at once; by default FLASH_CONCURRENCY when that is more',
  ),
  FLASH_MAX_WAITING: positiveInteger(1000, 'Most requests that wait for a runner; one more is refused (503)'),
  FLASH_MAX_INSTANCES: positiveInteger(
    100,
    'Most class instances kept alive; the least recently used one goes',
  ),
  FLASH_INSTANCE_IDLE_MS: milliseconds(0, 'An instance unused for so long is dropped; 0: never'),
  FLASH_INSTANCE_CONCURRENCY: positiveInteger(
    64,
    'Most calls of one instance’s async methods that overlap; further ones wait',
  ),
  FLASH_EXECUTION_TIMEOUT_MS: milliseconds(0, 'Longest run of user code; 0: no bound'),
  FLASH_CANCEL_GRACE_MS: milliseconds(
    2000,
    'Time a cancelled or timed-out run has to end by itself before its process is killed',
  ),
  FLASH_MAX_OUTPUT_BYTES: positiveInteger(
    1024 * 1024,
    'Output kept per request: half from its head, half from its tail',
  ),
  FLASH_MAX_RESPONSE_BYTES: positiveInteger(256 * 1024 * 1024, 'Largest encoded result of one run'),
  FLASH_STREAM_WINDOW: positiveInteger(
    16,
    'Chunks of a streaming handler that may be under way; then it is held back',
  ),
  FLASH_RUNNER_REUSE: choice(
    ['clean', 'never'],
    'clean',
    'Whether a Python process serves more than one function request: clean: when it is as if it were new again; never: each request gets a process of its own',
  ),
  FLASH_RUNNER_MAX_REQUESTS: nonNegativeInteger(
    0,
    'Function requests after which a Python process is replaced; 0: no bound',
  ),
  FLASH_RUNNER_MAX_BYTES_LEFT: positiveInteger(
    256 * 1024 * 1024,
    'Memory, in bytes, that function requests may leave behind in a Python process, after a collection and beside what libraries take; then it is replaced',
  ),
  FLASH_RUNNER_MAX_DESCRIPTORS_LEFT: positiveInteger(
    256,
    'Open files and connections that function requests may leave behind in a Python process; then it is replaced',
  ),
  FLASH_RUNNER_EXIT_MS: milliseconds(
    10_000,
    'Time that threads and exit functions have in a Python process that is being replaced; then it is killed',
  ),
  FLASH_RUNNER_IDLE_MS: milliseconds(60_000, 'A spare runner unused for so long ends; 0: never'),
  FLASH_SPIN_US: nonNegativeInteger(
    () => (availableParallelism() > 1 ? 300 : 0),
    'Time a runner stays awake for the next request after one that was alone in the worker; 0: none',
  ),
  FLASH_ENVIRONMENT_IDLE_MS: milliseconds(
    600_000,
    'An environment’s processes end when nothing has run there for so long; 0: never',
  ),
  FLASH_CACHE_DIR: directory(
    () => join(homedir(), '.cache'),
    'The worker’s cache directory, which the network volume keeps',
  ),
  FLASH_PREIMPORT: read<PreimportChoice>(
    () => z.string().transform(readPreimport),
    'auto',
    'Modules that Python imports ahead of the first request, by name, separated by commas; auto: those that earlier requests took long to import; off: none',
  ),
  FLASH_PREIMPORT_MS: milliseconds(20_000, 'Time those imports may take'),
  FLASH_PREIMPORT_MAX_BYTES: positiveInteger(1024 ** 3, 'Memory those imports may take, in bytes'),
  FLASH_START_TIMEOUT_MS: milliseconds(30_000, 'Time Python has to start'),
});

export type PythonBridgeSettings = SettingsOf<typeof pythonBridgeSettingsSchema>;
