import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clientsPython } from '../../../scripts/lib/clients-python.ts';
import { App } from './running-app.ts';

/** A web app without a framework: it starts at once. */
export const plain = `
import json, os, sys

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    path = scope["path"]
    if path == "/die":
        os._exit(7)
    if path == "/kill":
        os.kill(os.getpid(), 9)
    answer = {"pid": os.getpid(), "path": path}
    if path == "/env":
        answer = {"env": dict(os.environ), "cwd": os.getcwd(), "path": sys.path[:1]}
    status = 404 if path == "/ping" else 200
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(answer).encode()})
`;

/** A directory with a user's web app, and the workers that serve it. */
export class WebAppDirectory {
  readonly path = mkdtempSync(join(tmpdir(), 'flash-test-'));
  readonly #apps: App[] = [];

  write(source: string, name = 'main.py'): void {
    writeFileSync(join(this.path, name), source);
  }

  /** Starts a worker that serves the app. */
  start(env: NodeJS.ProcessEnv = {}): App {
    const app = new App({
      FLASH_PYTHON: clientsPython(),
      FLASH_ENDPOINT_TYPE: 'lb',
      FLASH_APP_DIR: this.path,
      ...env,
    });
    this.#apps.push(app);
    return app;
  }

  /** Kills the workers and removes the directory. */
  async close(): Promise<void> {
    for (const app of this.#apps) {
      app.process.kill('SIGKILL');
      await app.exited;
    }
    rmSync(this.path, { recursive: true });
  }
}

/** Id of the process that serves the app `plain`. */
export async function pidOf(app: App): Promise<number> {
  return ((await (await app.get()).json()) as { pid: number }).pid;
}

export const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`);
export const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
