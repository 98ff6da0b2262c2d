import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  type Execution,
  type FunctionRequestInput,
  functionCallFrom,
  type RunOptions,
} from '@flash/worker-core';
import { RecordingLog } from '@flash/worker-core/testing';
import { PythonProcessExecutor, pythonBridgeSettingsSchema } from '../src/index.ts';
import type { HeadStart } from '../src/zygote/head-start.ts';

const venv = fileURLToPath(new URL('../../../.venv/bin/python', import.meta.url));

/** The Python that tests run user code on. */
export const testPython = process.env.FLASH_PYTHON ?? (existsSync(venv) ? venv : 'python3');

/** An executor on real Python, with the helpers that tests need. */
export class Bridge {
  readonly log = new RecordingLog();
  readonly executor: PythonProcessExecutor;

  constructor(
    settings: Record<string, unknown> = {},
    env: NodeJS.ProcessEnv = process.env,
    python = testPython,
    headStart?: HeadStart,
  ) {
    this.executor = new PythonProcessExecutor({
      python,
      env,
      headStart,
      log: this.log,
      settings: pythonBridgeSettingsSchema.parse({ FLASH_CANCEL_GRACE_MS: 400, ...settings }),
    });
  }

  /** Runs a function "f" with JSON arguments, or whatever else `request` says. */
  run(
    code: string,
    request: Partial<FunctionRequestInput> = {},
    options: Partial<RunOptions> = {},
  ): Promise<Execution> {
    const call = functionCallFrom({
      function_name: 'f',
      function_code: code,
      serialization_format: 'json',
      ...request,
    });
    return this.executor.run(call, { requestId: 'test', ...options });
  }

  /** Calls a method of a class. */
  call(
    code: string,
    request: Partial<FunctionRequestInput> = {},
    options: Partial<RunOptions> = {},
  ): Promise<Execution> {
    return this.run('', { execution_type: 'class', class_name: 'C', class_code: code, ...request }, options);
  }

  close(): Promise<void> {
    return this.executor.close();
  }
}

/** The JSON value a run returned; throws when it did not return. */
export function returned(execution: Execution): unknown {
  if (execution.result?.format !== 'json')
    throw new Error(`it ended as ${execution.end}: ${execution.error}`);
  return JSON.parse(new TextDecoder().decode(execution.result.json));
}

/** Ids of every process below this one that runs flash_runner or was started by it. */
export function descendants(root = process.pid): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const fields = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
      parents.set(Number(name), Number(fields[1]));
    } catch {
      // gone meanwhile
    }
  }
  const below = (pid: number): number[] =>
    [...parents].filter(([, parent]) => parent === pid).flatMap(([child]) => [child, ...below(child)]);
  return below(root);
}
