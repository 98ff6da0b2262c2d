import { resourceChecks } from '@flash/infra-fitness';
import { WorkerError, WorkerStartError } from '@flash/worker-core';
import type { WorkerSettings } from './settings.ts';
import { describeSystemError } from './system-error.ts';

/**
 * The cause of a start that has failed, in one sentence: a machine without space, memory or descriptors shows in whatever fails first, often in a child's
 * words, and those blame what they know.
 */
export async function explainStartFailure(error: unknown, settings: WorkerSettings): Promise<unknown> {
  // The error says what is wrong with the app or a setting.
  if (error instanceof WorkerError && !(error instanceof WorkerStartError)) return error;
  for (const check of resourceChecks(settings)) {
    const found = await check.check(AbortSignal.timeout(settings.FLASH_FITNESS_TIMEOUT_MS)).then(
      () => undefined,
      (unfit: Error) => unfit,
    );
    if (found !== undefined)
      return new WorkerStartError(`this worker can't start: ${found.message}`, { cause: error });
  }
  const sentence = describeSystemError(error);
  return sentence === undefined ? error : new WorkerStartError(sentence, { cause: error });
}
