import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  type FunctionRequestInput,
  type FunctionResponse,
  functionCallFrom,
  ports,
} from '@flash/worker-core';
import { RecordingLog } from '@flash/worker-core/testing';
import { ContainerModule } from 'inversify';
import { createWorker, type Worker } from '../src/index.ts';

const run = promisify(execFile);
const venv = fileURLToPath(new URL('../../../.venv/bin', import.meta.url));

/** A network volume, an image's Python, and the workers of one endpoint: each on a machine of its own, that is with an empty disk. */
export class Endpoint {
  readonly root: string = mkdtempSync(join(tmpdir(), 'flash-endpoint-'));
  readonly volume: string = join(this.root, 'volume');
  readonly python: string = join(this.root, 'image/bin/python');
  readonly #workers: WarmWorker[] = [];
  #machines = 0;

  /** @param packages - what the image has besides cloudpickle. */
  async make(packages: readonly string[] = []): Promise<this> {
    mkdirSync(this.volume, { recursive: true });
    const uv = join(venv, 'uv');
    await run(uv, ['venv', '--quiet', '--python', join(venv, 'python'), join(this.root, 'image')]);
    const install = ['pip', 'install', '--quiet', '--python', this.python, 'cloudpickle==3.1.2'];
    await run(uv, [...install, ...packages]);
    return this;
  }

  /** Settings of a worker on a machine of its own. */
  newMachine(settings: Record<string, string> = {}): NodeJS.ProcessEnv {
    const disk = join(this.root, `machine-${this.#machines++}`);
    mkdirSync(disk);
    return {
      ...process.env,
      FLASH_PYTHON: this.python,
      FLASH_UV: join(venv, 'uv'),
      FLASH_ENVIRONMENTS: 'isolated',
      FLASH_ENVIRONMENTS_DIR: join(disk, 'environments'),
      FLASH_CACHE_DIR: join(disk, 'cache'),
      FLASH_VOLUME_DIR: this.volume,
      FLASH_CACHE_SYNC_DELAY_MS: '50',
      FLASH_MIN_TMP_BYTES: '0',
      RUNPOD_ENDPOINT_ID: 'test',
      ...settings,
    };
  }

  worker(settings: Record<string, string> = {}): WarmWorker {
    return this.workerWith(this.newMachine(settings));
  }

  workerWith(env: NodeJS.ProcessEnv): WarmWorker {
    const worker = new WarmWorker(env);
    this.#workers.push(worker);
    return worker;
  }

  async remove(): Promise<void> {
    for (const worker of this.#workers) await worker.close();
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** A worker whose log can be looked at. */
export class WarmWorker {
  readonly env: NodeJS.ProcessEnv;
  readonly log: RecordingLog = new RecordingLog();
  readonly worker: Worker;
  #requests = 0;

  constructor(env: NodeJS.ProcessEnv) {
    this.env = env;
    const module = new ContainerModule(({ bind }) => {
      bind(ports.Log).toConstantValue(this.log);
    });
    this.worker = createWorker({ env, modules: [module] });
  }

  /** Runs a function "f" with JSON arguments, or whatever else the request says. */
  async run(code: string, request: Partial<FunctionRequestInput> = {}): Promise<FunctionResponse> {
    const call = functionCallFrom({
      function_name: 'f',
      function_code: code,
      serialization_format: 'json',
      ...request,
    });
    const response = await this.worker.executeRequest.execute(call, { requestId: `r${this.#requests++}` });
    return response.toObject();
  }

  /** Waits until an event was logged that has all of this in its message or its fields. */
  async logged(...texts: string[]): Promise<void> {
    for (let attempt = 0; attempt < 2400; attempt++) {
      const lines = this.log.events.map((event) => JSON.stringify(event));
      if (lines.some((line) => texts.every((text) => line.includes(text)))) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error(`${JSON.stringify(texts)} was never logged; what was:\n${this.log.messages.join('\n')}`);
  }

  close(): Promise<void> {
    return this.worker.close();
  }
}
