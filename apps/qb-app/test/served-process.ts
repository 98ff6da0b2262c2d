import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** A qb-app that serves clients by itself. */
export class ServedProcess {
  readonly #directory = mkdtempSync(join(tmpdir(), 'flash-test-'));
  readonly #child: ChildProcess;
  readonly ended: Promise<unknown>;
  #log = '';

  /** @param handler - source of the deployed handler, if there is one. */
  constructor(args: readonly string[], env: Record<string, string> = {}, handler?: string) {
    if (handler !== undefined) writeFileSync(join(this.#directory, 'handler_counter.py'), handler);
    this.#child = spawn(process.execPath, ['--conditions=source', path('../src/main.ts'), ...args], {
      env: {
        ...process.env,
        FLASH_PYTHON: process.env.FLASH_PYTHON ?? path('../../../.venv/bin/python'),
        FLASH_APP_DIR: this.#directory,
        ...(handler !== undefined && { FLASH_RESOURCE_NAME: 'counter' }),
        HOST: '127.0.0.1',
        ...env,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#log += text;
    });
  }

  async port(): Promise<number> {
    for (let tries = 0; tries < 3000; tries++) {
      const port = /"port":(\d+)/.exec(this.#log)?.[1];
      if (port !== undefined) return Number(port);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(this.#log);
  }

  async call<T>(route: string, input: object): Promise<T> {
    const body = JSON.stringify({ input });
    const response = await fetch(`http://127.0.0.1:${await this.port()}${route}`, { method: 'POST', body });
    return (await response.json()) as T;
  }

  stop(): void {
    this.#child.kill('SIGTERM');
  }

  async close(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
