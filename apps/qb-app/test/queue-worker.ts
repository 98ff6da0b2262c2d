import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type FaultOptions,
  Faults,
  type Gateway,
  gatewaySettingsSchema,
  startGateway,
} from '@flash/queue-gateway';
import { RecordingLog } from '@flash/worker-core/testing';
import type { Gate } from '../../../scripts/lib/gate.ts';
import { until } from '../../../scripts/lib/until.ts';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const python = process.env.FLASH_PYTHON ?? path('../../../.venv/bin/python');

export const workerKey = 'the-worker-key-nobody-may-see';

/** What a client finds of a job. */
export interface JobView {
  readonly id: string;
  readonly status: string;
  readonly output?: unknown;
  readonly error?: string;
  readonly workerId?: string;
}

/** A gateway in this process, spoken to as clients do. */
export class Queue {
  readonly log = new RecordingLog();
  readonly gateway: Gateway;
  readonly faults: Faults | undefined;
  readonly directory = mkdtempSync(join(tmpdir(), 'flash-test-'));
  readonly #workers: Worker[] = [];

  static async open(settings: Record<string, string> = {}, faults?: FaultOptions): Promise<Queue> {
    const given = faults && new Faults(faults);
    const log = new RecordingLog();
    const gateway = await startGateway({
      host: '127.0.0.1',
      port: 0,
      log,
      faults: given,
      settings: gatewaySettingsSchema.parse({
        FLASH_GATEWAY_WORKER_KEY: workerKey,
        FLASH_GATEWAY_POLL_MS: '2000',
        ...settings,
      }),
    });
    return new Queue(gateway, given);
  }

  private constructor(gateway: Gateway, faults: Faults | undefined) {
    this.gateway = gateway;
    this.faults = faults;
  }

  get url(): string {
    return `http://127.0.0.1:${this.gateway.port}/v2/ep`;
  }

  /** URL of another endpoint on the same gateway. */
  endpoint(name: string): string {
    return `http://127.0.0.1:${this.gateway.port}/v2/${name}`;
  }

  /** Starts a worker process on this queue, or on that of another endpoint. */
  worker(
    env: Record<string, string | undefined> = {},
    args: readonly string[] = [],
    endpoint = 'ep',
  ): Worker {
    const worker = new Worker(
      this.endpoint(endpoint),
      this.directory,
      { RUNPOD_ENDPOINT_ID: endpoint, ...env },
      args,
    );
    this.#workers.push(worker);
    return worker;
  }

  async post(route: string, body?: unknown): Promise<JobView> {
    const response = await fetch(`${this.url}/${route}`, {
      method: 'POST',
      body: JSON.stringify(body ?? {}),
    });
    return (await response.json()) as JobView;
  }

  run(input: unknown, more: object = {}): Promise<JobView> {
    return this.post('run', { input, ...more });
  }

  runsync(input: unknown, more: object = {}): Promise<JobView> {
    return this.post('runsync', { input, ...more });
  }

  async close(): Promise<void> {
    for (const worker of this.#workers) await worker.kill();
    await this.gateway.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A qb-app process. */
export class Worker {
  readonly process: ChildProcess;
  readonly exited: Promise<number | null>;
  stdout = '';
  stderr = '';

  constructor(
    url: string,
    directory: string,
    env: Record<string, string | undefined>,
    args: readonly string[],
  ) {
    this.process = spawn(process.execPath, ['--conditions=source', ...args, path('../src/main.ts')], {
      env: {
        ...process.env,
        FLASH_PYTHON: python,
        FLASH_STATE_DIR: join(directory, 'state'),
        FLASH_CANCEL_GRACE_MS: '500',
        RUNPOD_POD_ID: 'w1',
        RUNPOD_ENDPOINT_ID: 'ep',
        RUNPOD_AI_API_KEY: workerKey,
        RUNPOD_WEBHOOK_GET_JOB: `${url}/job-take/$ID?gpu=none`,
        RUNPOD_WEBHOOK_POST_OUTPUT: `${url}/job-done/$RUNPOD_POD_ID/$ID?gpu=none`,
        RUNPOD_WEBHOOK_POST_STREAM: `${url}/job-stream/$RUNPOD_POD_ID/$ID?gpu=none`,
        RUNPOD_WEBHOOK_PING: `${url}/ping/$RUNPOD_POD_ID`,
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.exited = new Promise((resolve) => this.process.once('close', (code) => resolve(code)));
  }

  /** Log lines on the platform, parsed. */
  get lines(): { requestId: string | null; message: string; level: string }[] {
    return this.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  }

  async says(text: string, timeoutMs = 60_000): Promise<void> {
    for (const end = Date.now() + timeoutMs; !`${this.stdout}${this.stderr}`.includes(text); ) {
      if (Date.now() > end || this.process.exitCode !== null)
        throw new Error(`it never said "${text}":\n${this.stdout}\n${this.stderr}`);
      await wait(10);
    }
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    this.process.kill(signal);
    return this.exited;
  }
}

export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A live function "f" with JSON arguments. */
export function live(code: string, ...args: unknown[]): object {
  return { function_name: 'f', function_code: code, serialization_format: 'json', args };
}

/** Requests for functions that add, and that loop for ever. */
export const add = live('def f(a, b): return a + b', 1, 2);
export const loop = live('def f():\n while True: pass');
/** A request for a function that ends when the gate is opened. */
export const held = (gate: Gate): object => live(`def f():\n    ${gate.wait}\n    return "held"`);

/** Writes a generated handler. @returns the settings of a worker that serves it. */
export function deployed(queue: Queue, code: string, manifest?: object): Record<string, string> {
  const directory = join(queue.directory, 'app');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'handler_gpu.py'), code);
  const path = join(directory, 'flash_manifest.json');
  if (manifest !== undefined) writeFileSync(path, JSON.stringify(manifest));
  return {
    FLASH_APP_DIR: directory,
    FLASH_RESOURCE_NAME: 'gpu',
    FLASH_MANIFEST_PATH: path,
    FLASH_DISABLE_UNPACK: '1',
  };
}

/** Resolves when a job is at work in a worker. */
export async function untilAtWork(queue: Queue, id: string): Promise<void> {
  const record = await queue.gateway.store.find('ep', id);
  await until(() => record?.status === 'IN_PROGRESS');
  await wait(300);
}
