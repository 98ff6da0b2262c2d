import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';

const milliseconds = z.coerce.number().int().nonnegative().max(2_147_483_647);
const positiveMs = z.coerce.number().int().positive().max(2_147_483_647);
const count = z.coerce.number().int().positive();

/** Settings of the queue protocol by the environment variable that sets each (contract, sections 4 and 5). */
export const runpodQueueSettingsSchema = z.object({
  RUNPOD_WEBHOOK_GET_JOB: z
    .string()
    .optional()
    .describe('URL template jobs are taken from; $ID is the worker'),
  RUNPOD_WEBHOOK_POST_OUTPUT: z
    .string()
    .optional()
    .describe('URL template results are posted to; $RUNPOD_POD_ID is the worker, $ID the job'),
  RUNPOD_WEBHOOK_POST_STREAM: z
    .string()
    .optional()
    .describe('URL template chunks of streaming handlers are posted to'),
  RUNPOD_WEBHOOK_PING: z
    .string()
    .optional()
    .describe('URL template of the heartbeat; without it there is none'),
  RUNPOD_AI_API_KEY: z.string().optional().describe('Key of the queue; user code never sees it'),
  RUNPOD_PING_INTERVAL: positiveMs.default(10_000).describe('Heartbeat period'),
  FLASH_TAKE_TIMEOUT_MS: positiveMs
    .default(90_000)
    .describe('Longest wait for a job or a stop signal in one call'),
  FLASH_POST_TIMEOUT_MS: positiveMs
    .default(60_000)
    .describe('Longest time one post of a result or chunk takes'),
  FLASH_EMPTY_TAKE_MS: milliseconds
    .default(300)
    .describe('Least time between two takes when the queue answers at once that it has nothing'),
  FLASH_RATE_LIMIT_MS: milliseconds.default(5000).describe('Pause after the queue answered 429'),
  FLASH_RETRY_MIN_MS: positiveMs.default(200).describe('First pause before a failed call is tried again'),
  FLASH_RETRY_MAX_MS: positiveMs.default(30_000).describe('Longest such pause'),
  FLASH_STREAM_ATTEMPTS: count.default(8).describe('Attempts to post one chunk; then its job fails'),
  FLASH_PROGRESS_INTERVAL_MS: milliseconds
    .default(250)
    .describe('Least time between two progress posts of one job; newer progress replaces older'),
  FLASH_MAX_TAKE_BYTES: count.default(64 * 1024 * 1024).describe('Largest answer of the queue to one take'),
  FLASH_STATE_DIR: z
    .string()
    .default(join(tmpdir(), 'flash-worker'))
    .describe('Directory of results that the platform has not acknowledged; one folder per worker id'),
  FLASH_OUTBOX_MAX_RESULTS: count
    .default(1000)
    .describe('Most results that wait to be acknowledged; then no job is taken'),
  FLASH_OUTBOX_MAX_BYTES: count
    .default(1024 * 1024 * 1024)
    .describe('Most bytes of such results on disk; then no job is taken'),
  FLASH_MAX_RESULT_BYTES: count
    .optional()
    .describe(
      'Largest result that is posted; a larger one is reported as an error. Default: 20 MiB for runsync and 10 MiB for run where the job id tells, else no bound',
    ),
  FLASH_DUPLICATE_WINDOW_MS: milliseconds
    .default(60_000)
    .describe('A job delivered again within this time after its result is ignored'),
});

export type RunpodQueueSettings = z.output<typeof runpodQueueSettingsSchema>;
