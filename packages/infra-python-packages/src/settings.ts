import { homedir } from 'node:os';
import { join } from 'node:path';
import {
  directory,
  choice,
  positiveInteger,
  nonNegativeInteger,
  defineSettings,
  positiveMilliseconds,
  type SettingsOf,
  text,
} from '@flash/settings';

/** Settings of Python installations by the environment variable that sets each. */
export const pythonPackagesSettingsSchema = defineSettings({
  FLASH_UV: text(undefined, 'Path of uv; default: the one beside the Python interpreter, else on PATH'),
  FLASH_INSTALL_TIMEOUT_MS: positiveMilliseconds(300_000, 'Longest time of one installation step'),
  FLASH_CACHE_DIR: directory(
    () => join(homedir(), '.cache'),
    'The worker’s cache directory, which the network volume keeps',
  ),
  FLASH_ENVIRONMENTS: choice(
    ['shared', 'isolated'],
    'shared',
    'Where Python packages go: shared: into the one interpreter; isolated: each distinct set of dependencies has an environment of its own above the image’s packages',
  ),
  FLASH_MAX_PROMISED_REQUIREMENTS: positiveInteger(
    1000,
    'Requirements of earlier requests that later installations must leave met: Python’s in the one interpreter, and system packages; the one asked for longest ago is forgotten',
  ),
  FLASH_ENVIRONMENTS_DIR: directory(
    () => join(homedir(), '.flash/environments'),
    'Where environments are; best on the file system of FLASH_CACHE_DIR',
  ),
  FLASH_MAX_ENVIRONMENTS: positiveInteger(
    8,
    'Most environments on the local disk; the least recently used one goes',
  ),
  FLASH_ENVIRONMENTS_MAX_BYTES: nonNegativeInteger(
    20 * 1024 ** 3,
    'Most bytes of all environments on the local disk; 0: no bound',
  ),
  FLASH_PREWARM_ENVIRONMENTS: nonNegativeInteger(
    1,
    'Environments that a new worker brings from the volume ahead of the first request, the last used ones first',
  ),
});

export type PythonPackagesSettings = SettingsOf<typeof pythonPackagesSettingsSchema>;
