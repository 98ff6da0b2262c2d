import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  directory,
  positiveInteger,
  defineSettings,
  milliseconds,
  positiveMilliseconds,
  type SettingsOf,
  text,
} from '@flash/settings';

/**
 * Settings of the queue protocol by the environment variable that sets each (docs/reference/protocol.md, Environment variables and Queue protocol).
 */
export const runpodQueueSettingsSchema = defineSettings({
  RUNPOD_WEBHOOK_GET_JOB: text(undefined, 'URL template jobs are taken from; $ID is the worker'),
  RUNPOD_WEBHOOK_POST_OUTPUT: text(
    undefined,
    'URL template results are posted to; $RUNPOD_POD_ID is the worker, $ID the job',
  ),
  RUNPOD_WEBHOOK_POST_STREAM: text(undefined, 'URL template chunks of streaming handlers are posted to'),
  RUNPOD_WEBHOOK_PING: text(undefined, 'URL template of the heartbeat; without it there is none'),
  RUNPOD_AI_API_KEY: text(undefined, 'Key of the queue; user code never sees it'),
  RUNPOD_PING_INTERVAL: positiveMilliseconds(10_000, 'Heartbeat period'),
  FLASH_TAKE_TIMEOUT_MS: positiveMilliseconds(90_000, 'Longest wait for a job or a stop signal in one call'),
  FLASH_POST_TIMEOUT_MS: positiveMilliseconds(60_000, 'Longest time one post of a result or chunk takes'),
  FLASH_EMPTY_TAKE_MS: milliseconds(
    300,
    'Least time between two takes when the queue answers at once that it has nothing',
  ),
  FLASH_RATE_LIMIT_MS: milliseconds(5000, 'Pause after the queue answered 429'),
  FLASH_RETRY_MIN_MS: positiveMilliseconds(200, 'First pause before a failed call is tried again'),
  FLASH_RETRY_MAX_MS: positiveMilliseconds(30_000, 'Longest such pause'),
  FLASH_STREAM_ATTEMPTS: positiveInteger(8, 'Attempts to post one chunk; then its job fails'),
  FLASH_PROGRESS_INTERVAL_MS: milliseconds(
    250,
    'Least time between two progress posts of one job; newer progress replaces older',
  ),
  FLASH_MAX_TAKE_BYTES: positiveInteger(64 * 1024 * 1024, 'Largest answer of the queue to one take'),
  FLASH_STATE_DIR: directory(
    () => join(tmpdir(), 'flash-worker'),
    'Directory of results that the platform has not acknowledged; one folder per worker id, and in it one per process',
  ),
  FLASH_STATE_LEASE_MS: positiveMilliseconds(
    30_000,
    'A process of another container or machine with the same folder is gone when nothing was seen of it for so long; its results are posted by this one',
  ),
  FLASH_OUTBOX_MAX_RESULTS: positiveInteger(
    1000,
    'Most results that wait to be acknowledged; then no job is taken',
  ),
  FLASH_OUTBOX_MAX_BYTES: positiveInteger(
    1024 * 1024 * 1024,
    'Most bytes of such results on disk; then no job is taken',
  ),
  FLASH_MAX_RESULT_BYTES: positiveInteger(
    undefined,
    'Largest result that is posted; a larger one is reported as an error. Default: 20 MiB for runsync and 10 MiB for run where the job id tells, else no bound',
  ),
  FLASH_DUPLICATE_WINDOW_MS: milliseconds(
    60_000,
    'A job delivered again within this time after its result is ignored',
  ),
});

export type RunpodQueueSettings = SettingsOf<typeof runpodQueueSettingsSchema>;
