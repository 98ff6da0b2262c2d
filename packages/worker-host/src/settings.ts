import { appArtifactSettingsSchema } from '@flash/infra-app-artifact';
import { fitnessSettingsSchema } from '@flash/infra-fitness';
import { loggingSettingsSchema } from '@flash/infra-logging';
import { appServerSettingsSchema, pythonBridgeSettingsSchema } from '@flash/infra-python-bridge';
import { manifestSettingsSchema } from '@flash/infra-manifest';
import { metricsSettingsSchema } from '@flash/infra-metrics';
import { pythonPackagesSettingsSchema } from '@flash/infra-python-packages';
import { systemPackagesSettingsSchema } from '@flash/infra-system-packages';
import { tracingSettingsSchema } from '@flash/infra-tracing';
import { endpointRouterSettingsSchema } from '@flash/infra-runpod/endpoint-router';
import { volumeCacheSettingsSchema } from '@flash/infra-volume-cache';
import {
  nonNegativeInteger,
  defineSettings,
  positiveMilliseconds,
  read,
  type SettingsOf,
  type SettingsSchema,
  type SettingsShape,
  text,
} from '@flash/settings';
import { SettingsError } from '@flash/worker-core';
import * as z from 'zod';
import { appSettingsSchema } from './app-settings.ts';

const ownSettingsSchema = defineSettings({
  FLASH_PYTHON: text(
    undefined,
    'Python interpreter of user code; default: $VIRTUAL_ENV, the nearest .venv above the working directory, python3',
  ),
  FLASH_PYTHON_VERSION: read<string | undefined>(
    () => z.string().regex(/^\d+\.\d+$/, 'expected MAJOR.MINOR, such as 3.12'),
    undefined,
    'Refuse to start when the interpreter is another version',
  ),
  FLASH_MAX_LOGGED_OUTPUT_BYTES: nonNegativeInteger(
    1024 * 1024,
    'User output of one request that goes to the worker’s log',
  ),
  FLASH_FITNESS_TIMEOUT_MS: positiveMilliseconds(30_000, 'Time the fitness checks have to answer'),
  RUNPOD_POD_ID: text(undefined, 'Id of this worker; a random one when absent'),
  RUNPOD_POD_HOSTNAME: text(undefined, 'Host name in error reports; default: the machine’s'),
});

/** Every setting of a worker, by the environment variable that sets it. */
export const workerSettingsSchema = defineSettings({
  ...ownSettingsSchema.shape,
  ...appSettingsSchema.shape,
  ...appArtifactSettingsSchema.shape,
  ...appServerSettingsSchema.shape,
  ...fitnessSettingsSchema.shape,
  ...pythonBridgeSettingsSchema.shape,
  ...pythonPackagesSettingsSchema.shape,
  ...systemPackagesSettingsSchema.shape,
  ...volumeCacheSettingsSchema.shape,
  ...manifestSettingsSchema.shape,
  ...endpointRouterSettingsSchema.shape,
  ...loggingSettingsSchema.shape,
  ...metricsSettingsSchema.shape,
  ...tracingSettingsSchema.shape,
});

export type WorkerSettings = SettingsOf<typeof workerSettingsSchema>;

/**
 * Reads settings out of an environment; an empty variable counts as absent.
 *
 * @throws SettingsError naming the variable and what is wrong with it.
 */
export function readSettings<S extends SettingsShape>(
  schema: SettingsSchema<S>,
  env: NodeJS.ProcessEnv,
): Readonly<SettingsOf<SettingsSchema<S>>> {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const values = schema.safeParse(given);
  if (!values.success) throw new SettingsError(`wrong settings: ${values.problems.join('; ')}`);
  return Object.freeze(values.data);
}
