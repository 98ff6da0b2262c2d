import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Execution, RunOptions } from '@flash/worker-core';
import type { Bridge } from './bridge.ts';

/** A directory of handler files, as a deployed app has them. */
export class HandlerFiles {
  readonly directory = mkdtempSync(join(tmpdir(), 'flash-test-'));
  #number = 0;

  /** Writes a handler file of its own and returns its path. */
  add(code: string): string {
    const file = join(this.directory, `handler_${++this.#number}.py`);
    writeFileSync(file, code);
    return file;
  }

  remove(): void {
    rmSync(this.directory, { recursive: true });
  }
}

/** Runs a job with the handler of a file. */
export function runHandler(
  bridge: Bridge,
  file: string,
  input: unknown,
  options: Partial<RunOptions> = {},
): Promise<Execution> {
  const request = { id: options.requestId ?? 'j1', input };
  const bytes = new TextEncoder().encode(JSON.stringify(request));
  return bridge.executor.run(
    { kind: 'handler', file, serializationFormat: 'json', payload: { bytes, requestAt: 'root', request } },
    { requestId: 'j1', ...options },
  );
}
