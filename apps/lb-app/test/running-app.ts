import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
export const python = process.env.FLASH_PYTHON ?? path('../../../.venv/bin/python');
export const uv = path('../../../.venv/bin/uv');

/** A running lb-app. */
export class App {
  readonly process: ChildProcess;
  readonly exited: Promise<number | null>;
  log = '';
  url = '';

  /** @param main - what to run instead of the source. */
  constructor(env: NodeJS.ProcessEnv = {}, main?: string) {
    const args = main === undefined ? ['--conditions=source', path('../src/main.ts')] : [main];
    this.process = spawn(process.execPath, args, {
      env: { ...process.env, FLASH_PYTHON: python, HOST: '127.0.0.1', PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.exited = new Promise((resolve) => this.process.once('close', resolve));
    // On the platform the log goes to stdout.
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.log += text;
      });
    }
  }

  /** Resolves when the log has such a line. */
  async logged(pattern: RegExp, timeoutMs = 60_000): Promise<void> {
    for (let waited = 0; waited < timeoutMs; waited += 10) {
      if (pattern.test(this.log)) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`lb-app did not log ${pattern}:\n${this.log}`);
  }

  async listening(): Promise<this> {
    for (let waited = 0; waited < 60_000; waited += 10) {
      const port = /port(?:":|=)(\d+)/.exec(this.log)?.[1];
      if (port !== undefined) {
        this.url = `http://127.0.0.1:${port}`;
        return this;
      }
      if (this.process.exitCode !== null) break;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`lb-app does not listen:\n${this.log}`);
  }

  /** @param onStatus - told what each ping was answered. */
  async ready(onStatus: (status: number | string) => void = () => {}): Promise<this> {
    await this.listening();
    for (let waited = 0; waited < 60_000; waited += 10) {
      const status = await this.probe();
      onStatus(status);
      if (status === 200) return this;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`lb-app does not get ready:\n${this.log}`);
  }

  /** Gets over a connection of its own: a kept one may end at a process that is gone. */
  get(route = '/'): Promise<Response> {
    return fetch(`${this.url}${route}`, { headers: { connection: 'close' } });
  }

  /** What a new connection is answered: a status, or the code of the failure. */
  async probe(route = '/ping'): Promise<number | string> {
    try {
      const response = await this.get(route);
      await response.arrayBuffer();
      return response.status;
    } catch (error) {
      return ((error as Error).cause as NodeJS.ErrnoException).code ?? String(error);
    }
  }

  post(body: unknown, init: RequestInit = {}): Promise<Response> {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return fetch(`${this.url}/execute`, { method: 'POST', body: text, ...init });
  }

  async json(body: unknown): Promise<Record<string, unknown>> {
    return (await this.post(body)).json() as Promise<Record<string, unknown>>;
  }

  async end(): Promise<number | null> {
    this.process.kill('SIGTERM');
    return this.exited;
  }
}
