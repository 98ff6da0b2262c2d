import { appArtifactSettingsSchema } from '@flash/infra-app-artifact';
import { fitnessSettingsSchema } from '@flash/infra-fitness';
import { loggingSettingsSchema } from '@flash/infra-logging';
import { appServerSettingsSchema, pythonBridgeSettingsSchema } from '@flash/infra-python-bridge';
import { manifestSettingsSchema } from '@flash/infra-manifest';
import { pythonPackagesSettingsSchema } from '@flash/infra-python-packages';
import { systemPackagesSettingsSchema } from '@flash/infra-system-packages';
import { endpointRouterSettingsSchema } from '@flash/infra-runpod/endpoint-router';
import { volumeCacheSettingsSchema } from '@flash/infra-volume-cache';
import { SettingsError, validationMessage } from '@flash/worker-core';
import * as z from 'zod';
import { appSettingsSchema } from './app-settings.ts';

const ownSettingsSchema = z.object({
  FLASH_PYTHON: z
    .string()
    .optional()
    .describe(
      'Python interpreter of user code; default: $VIRTUAL_ENV, the nearest .venv above the working directory, python3',
    ),
  FLASH_PYTHON_VERSION: z
    .string()
    .regex(/^\d+\.\d+$/, 'expected MAJOR.MINOR, such as 3.12')
    .optional()
    .describe('Refuse to start when the interpreter is another version'),
  FLASH_MAX_LOGGED_OUTPUT_BYTES: z.coerce
    .number()
    .int()
    .nonnegative()
    .default(1024 * 1024)
    .describe('User output of one request that goes to the worker’s log'),
  FLASH_FITNESS_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .positive()
    .default(30_000)
    .describe('Time the fitness checks have to answer'),
  RUNPOD_POD_ID: z.string().optional().describe('Id of this worker; a random one when absent'),
  RUNPOD_POD_HOSTNAME: z.string().optional().describe('Host name in error reports; default: the machine’s'),
});

/** Every setting of a worker, by the environment variable that sets it. */
export const workerSettingsSchema = z.object({
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
});

export type WorkerSettings = z.output<typeof workerSettingsSchema>;

/**
 * Reads settings out of an environment; an empty variable counts as absent.
 *
 * @throws SettingsError naming the variable and what is wrong with it.
 */
export function readSettings<T extends z.ZodType>(schema: T, env: NodeJS.ProcessEnv): Readonly<z.output<T>> {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  // Read once: to generate code for it takes longer than to do without.
  const parsed = schema.safeParse(given, { jitless: true });
  if (!parsed.success) throw new SettingsError(`wrong settings: ${validationMessage(parsed.error)}`);
  return Object.freeze(parsed.data as object) as Readonly<z.output<T>>;
}
