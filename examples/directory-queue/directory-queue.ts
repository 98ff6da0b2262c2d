import { access, appendFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  InvalidRequestError,
  type Job,
  type JobOutcome,
  type JobQueue,
  parseQueueJob,
} from '@flash/worker-core';

export interface DirectoryQueueOptions {
  /** Where jobs are put; made when it is not there. */
  readonly directory: string;
  /** How often it is looked for new jobs, and for those that are to stop, in milliseconds. */
  readonly lookMs: number;
}

/**
 * JobQueue on a directory that several workers may share.
 *
 * `jobs/<id>.json` is a job that waits, `taken/<id>.json` one at work: the worker that can rename it has it. `results/<id>.json` is its outcome,
 * `results/<id>.chunks` what it has streamed, `results/<id>.log` what it has printed. A file `stop/<id>` has it stopped.
 */
export class DirectoryQueue implements JobQueue {
  readonly #options: DirectoryQueueOptions;
  readonly #atWork = new Map<string, AbortController>();
  #made: Promise<unknown> | undefined;

  constructor(options: DirectoryQueueOptions) {
    this.#options = options;
  }

  async take(wanted: number, signal: AbortSignal): Promise<readonly Job[]> {
    this.#made ??= Promise.all(
      ['jobs', 'taken', 'results', 'stop'].map((name) => mkdir(this.#path(name), { recursive: true })),
    );
    await this.#made;
    for (;;) {
      signal.throwIfAborted();
      await this.#stopWhatIsToStop();
      const jobs: Job[] = [];
      for (const file of (await readdir(this.#path('jobs')))
        .filter((name) => name.endsWith('.json'))
        .sort()) {
        if (jobs.length === wanted) break;
        const job = await this.#claim(file.slice(0, -'.json'.length));
        if (job !== undefined) jobs.push(job);
      }
      if (jobs.length > 0) return jobs;
      await pause(this.#options.lookMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }

  logged({ id }: Job, text: string): void {
    // A log that can't be written is no reason to lose the job.
    appendFile(this.#path('results', `${id}.log`), text).catch(() => {});
  }

  progress(): void {
    // This queue has no place for progress.
  }

  async stream({ id }: Job, chunkJson: Uint8Array): Promise<void> {
    await appendFile(this.#path('results', `${id}.chunks`), `${new TextDecoder().decode(chunkJson)}\n`);
  }

  async finish({ id }: Job, { outputJson, error }: JobOutcome): Promise<void> {
    const output = outputJson === undefined ? [] : [`"output":${new TextDecoder().decode(outputJson)}`];
    const failure = error === undefined ? [] : [`"error":${JSON.stringify(error)}`];
    await this.#write(id, `{${[...output, ...failure].join(',')}}`);
    await this.#forget(id);
  }

  abandon({ id }: Job): void {
    void this.#forget(id);
  }

  async #claim(id: string): Promise<Job | undefined> {
    const taken = this.#path('taken', `${id}.json`);
    try {
      await rename(this.#path('jobs', `${id}.json`), taken);
    } catch {
      // Another worker was faster.
      return undefined;
    }
    const bytes = await readFile(taken);
    try {
      const { body, executionTimeoutMs } = parseQueueJob(bytes);
      const end = new AbortController();
      this.#atWork.set(id, end);
      return { id, body: { ...body, id }, bytes: withId(bytes, id), executionTimeoutMs, stop: end.signal };
    } catch (error) {
      if (!(error instanceof InvalidRequestError)) throw error;
      await this.#write(id, JSON.stringify({ error: error.message }));
      await this.#forget(id);
      return undefined;
    }
  }

  async #stopWhatIsToStop(): Promise<void> {
    for (const [id, end] of this.#atWork)
      await access(this.#path('stop', id)).then(
        () => end.abort(),
        () => {},
      );
  }

  /** Writes under another name first, so that no client reads half of a result. */
  async #write(id: string, text: string): Promise<void> {
    const draft = this.#path('results', `.${id}`);
    await writeFile(draft, text);
    await rename(draft, this.#path('results', `${id}.json`));
  }

  async #forget(id: string): Promise<void> {
    this.#atWork.delete(id);
    await rm(this.#path('taken', `${id}.json`), { force: true });
    await rm(this.#path('stop', id), { force: true });
  }

  #path(...names: string[]): string {
    return join(this.#options.directory, ...names);
  }
}

/** The file's name is the job's id, whatever its text says. */
function withId(bytes: Uint8Array, id: string): Uint8Array {
  const job = JSON.parse(new TextDecoder().decode(bytes)) as object;
  return new TextEncoder().encode(JSON.stringify({ ...job, id }));
}
