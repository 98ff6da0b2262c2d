import { expect, it } from '@jest/globals';
import type { Job, JobOutcome, JobQueue } from '../ports/job-queue.ts';
import { FakeExecutor } from '../testing/fake-executor.ts';
import { FakeInstaller } from '../testing/fake-installer.ts';
import { RecordingLog } from '../testing/recording-log.ts';
import { ExecuteRequest } from './execute-request.ts';
import { InstallDependencies } from './install-dependencies.ts';
import { NoVolumeCache } from './no-volume-cache.ts';
import { RunJob } from './run-job.ts';
import { ServeJobs } from './serve-jobs.ts';

class ListedJobs implements JobQueue {
  readonly finished = new Map<string, JobOutcome>();
  readonly printed = new Map<string, string>();
  readonly allDone = Promise.withResolvers<void>();
  readonly #jobs: Job[];
  readonly #count: number;

  constructor(jobs: Job[]) {
    this.#jobs = jobs;
    this.#count = jobs.length;
  }

  take(signal: AbortSignal): Promise<Job | undefined> {
    const job = this.#jobs.shift();
    if (job !== undefined) return Promise.resolve(job);
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  }

  progress(job: Job, text: string): void {
    this.printed.set(job.id, (this.printed.get(job.id) ?? '') + text);
  }

  async finish(job: Job, outcome: JobOutcome): Promise<void> {
    this.finished.set(job.id, outcome);
    if (this.finished.size === this.#count) this.allDone.resolve();
  }
}

function job(id: string, input: unknown): Job {
  return {
    id,
    bytes: new TextEncoder().encode(JSON.stringify({ id, input })),
    stop: new AbortController().signal,
  };
}

it('serves jobs one after the other, answers a malformed one with an error, and drains', async () => {
  const log = new RecordingLog();
  let atWork = 0;
  let most = 0;
  const executor = new FakeExecutor({
    work: async ({ print }) => {
      most = Math.max(most, ++atWork);
      await new Promise((resolve) => setTimeout(resolve, 2));
      print('done\n');
      atWork--;
      return 7;
    },
  });
  const executeRequest = new ExecuteRequest({
    executor,
    installDependencies: new InstallDependencies(new FakeInstaller(), new FakeInstaller()),
    volumeCache: new NoVolumeCache(),
    log,
    maxLoggedOutputBytes: 1000,
  });
  const good = { function_name: 'work', function_code: '…', serialization_format: 'json' };
  const queue = new ListedJobs([
    job('a', good),
    job('b', { function_name: 3 }),
    job('c', good),
    job('d', { ...good, function_name: 'none' }),
  ]);
  const serve = new ServeJobs(queue, new RunJob(executeRequest), log, 1);
  await queue.allDone.promise;
  await serve.drain();

  const output = (id: string) => JSON.parse(new TextDecoder().decode(queue.finished.get(id)?.outputJson));
  expect(output('a')).toMatchObject({ success: true, json_result: 7 });
  expect(output('a')).not.toHaveProperty('error');
  expect(queue.finished.get('b')?.error).toContain('INVALID_REQUEST');
  expect(queue.finished.get('d')).toMatchObject({ error: expect.stringContaining("'none' not found") });
  expect(queue.printed.get('a')).toBe('done\n');
  expect(most).toBe(1);
});
