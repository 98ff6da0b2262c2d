import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Job } from '@flash/worker-core';
import { RecordingLog, RecordingMetrics } from '@flash/worker-core/testing';
import { afterEach, beforeEach } from '@jest/globals';
import { RunpodJobQueue } from '../src/index.ts';
import { type RunpodQueueSettings, runpodQueueSettingsSchema } from '../src/settings.ts';

/** One call of a worker. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly at: number;
}

export type Answer = (call: Call, response: ServerResponse) => void;

/** A platform whose every answer a test decides; it keeps every call. */
export class Platform {
  readonly calls: Call[] = [];
  /** Answers by kind of call; what is not here is held open for a take or stop, and 200 otherwise. */
  readonly answers: Partial<Record<'take' | 'done' | 'stream' | 'stop' | 'ping', Answer>> = {};
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  of(kind: string): Call[] {
    return this.calls.filter(({ path }) => path.includes(`/${kind}/`));
  }

  /** Bodies posted as results, parsed. */
  get results(): Record<string, unknown>[] {
    return this.of('job-done').map(({ body }) => JSON.parse(body) as Record<string, unknown>);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', this.origin);
    let body = '';
    request.setEncoding('utf8');
    for await (const text of request) body += text;
    const call = {
      method: request.method ?? '',
      path: decodeURIComponent(url.pathname),
      query: url.searchParams,
      headers: request.headers,
      body,
      at: performance.now(),
    };
    this.calls.push(call);
    const kind = /\/(job-take|job-take-batch|job-done|job-stream|job-stop|ping)\//.exec(url.pathname)?.[1];
    const name = {
      'job-take': 'take',
      'job-take-batch': 'take',
      'job-done': 'done',
      'job-stream': 'stream',
      'job-stop': 'stop',
      ping: 'ping',
    }[kind ?? ''] as keyof Platform['answers'];
    const answer = this.answers[name];
    if (answer !== undefined) answer(call, response);
    else if (name !== 'take' && name !== 'stop') reply(response, 200, {});
  }
}

export function reply(response: ServerResponse, status: number, body?: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
}

/** Gives these answers one after the other, then the last one again and again. */
export function inTurn(...answers: readonly Answer[]): Answer {
  let next = 0;
  return (call, response) => answers[Math.min(next++, answers.length - 1)]?.(call, response);
}

export const never: Answer = () => {};
export const status =
  (code: number, body?: unknown): Answer =>
  (_, response) =>
    reply(response, code, body);
export const drop: Answer = (_, response) => response.socket?.destroy();

export const key = 'key-nobody-may-see';

/** A queue at a platform, with short times, and a state directory of its own. */
export async function openQueue(
  platform: Platform,
  { stateDirectory, workerId = 'w1', ...more }: Record<string, string> = {},
): Promise<{
  queue: RunpodJobQueue;
  log: RecordingLog;
  metrics: RecordingMetrics;
  stateDirectory: string;
  settings: RunpodQueueSettings;
}> {
  const directory = stateDirectory ?? (await mkdtemp(join(tmpdir(), 'flash-test-')));
  const base = `${platform.origin}/v2/ep`;
  const settings = runpodQueueSettingsSchema.parse({
    RUNPOD_WEBHOOK_GET_JOB: `${base}/job-take/$ID?gpu=none`,
    RUNPOD_WEBHOOK_POST_OUTPUT: `${base}/job-done/$RUNPOD_POD_ID/$ID?gpu=none`,
    RUNPOD_WEBHOOK_POST_STREAM: `${base}/job-stream/$RUNPOD_POD_ID/$ID?gpu=none`,
    RUNPOD_WEBHOOK_PING: `${base}/ping/$RUNPOD_POD_ID`,
    RUNPOD_AI_API_KEY: key,
    FLASH_STATE_DIR: directory,
    FLASH_RETRY_MIN_MS: '10',
    FLASH_RETRY_MAX_MS: '40',
    FLASH_RATE_LIMIT_MS: '100',
    FLASH_POST_TIMEOUT_MS: '30000',
    ...more,
  });
  const log = new RecordingLog();
  const metrics = new RecordingMetrics();
  const queue = await RunpodJobQueue.open({ settings, workerId, log, metrics });
  return { queue, log, metrics, stateDirectory: directory, settings };
}

export type Opened = Awaited<ReturnType<typeof openQueue>>;

/** A platform with the queues that a test has opened on it. */
export class Setting {
  readonly platform = new Platform();
  readonly #opened = new Set<Opened>();

  async begin(): Promise<this> {
    await this.platform.open();
    return this;
  }

  async open(more: Record<string, string> = {}): Promise<Opened> {
    const opened = await openQueue(this.platform, more);
    this.#opened.add(opened);
    return opened;
  }

  /** Takes a job of this id; after it the platform has none. */
  async take({ queue }: Opened, id = 'j1'): Promise<Job> {
    this.platform.answers.take = inTurn(status(200, { id, input: 1 }), status(204));
    const [job] = await queue.take(1, new AbortController().signal);
    return job as Job;
  }

  /** Closes a queue whose state another one is to find. */
  async leave(opened: Opened): Promise<void> {
    this.#opened.delete(opened);
    await opened.queue.close(0);
  }

  async end(): Promise<void> {
    for (const { queue, stateDirectory } of this.#opened) {
      await queue.close(0);
      await rm(stateDirectory, { recursive: true, force: true });
    }
    await this.platform.close();
  }
}

/** Gives each test of a suite a setting of its own, and ends it after the test. */
export function eachInItsSetting(give: (setting: Setting) => void): void {
  let setting: Setting;
  beforeEach(async () => {
    setting = await new Setting().begin();
    give(setting);
  });
  afterEach(() => setting.end());
}
