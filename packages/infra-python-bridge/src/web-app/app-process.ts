import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { LineSplitter } from '@flash/command-runner';
import type { AppPlace, Log } from '@flash/worker-core';
import * as z from 'zod';
import { JsonLines } from '../protocol/json-lines.ts';
import { spawnPython } from '../python-process.ts';

const eventSchema = z.lazy(() =>
  z.discriminatedUnion('event', [
    z.object({ event: z.literal('loaded') }),
    z.object({ event: z.literal('listening'), told: z.int().nullable() }),
    z.object({ event: z.literal('steered'), steered: z.boolean() }),
    z.object({
      event: z.literal('failed'),
      reason: z.string(),
      missing: z.string().nullable(),
      final: z.boolean().default(false),
    }),
    z.object({ event: z.literal('exited'), code: z.int().nullable(), signal: z.string().nullable() }),
  ]),
);

/** Time the keeper of such a process has to clean up. */
const garbageKillMs = 5000;

/** Why an app could not be loaded or started. */
export interface AppFailure {
  readonly reason: string;
  /** The top-level module that was missing when the app was loaded. */
  readonly missing: string | undefined;
  /** Whether another try can't help. */
  readonly isFinal: boolean;
}

/** How an app process ended. */
export interface AppExit {
  readonly failure: AppFailure | undefined;
  /** What ended the process, such as "SIGKILL" or "exit code 1". */
  readonly how: string;
  /** Time it served, in milliseconds; 0 when it never did. */
  readonly servedMs: number;
}

export interface AppProcessListener {
  /** The app's own start-up is through; it waits for its place. */
  onLoaded(process: AppProcess): void;
  /** The process listens. It has told the kernel how many of the app's processes listen (`told`), or nothing (`undefined`). */
  onListening(process: AppProcess, told: number | undefined): void;
  /** Whether the kernel steers connections as it was told. */
  onSteered(process: AppProcess, steered: boolean): void;
}

export interface AppProcessOptions {
  readonly python: string;
  readonly env: NodeJS.ProcessEnv;
  /** What `web_app/config.py` takes. */
  readonly config: object;
  /** Time the app has to start; 0: no bound. */
  readonly startTimeoutMs: number;
  readonly log: Log;
}

/** One process that serves the user's app, with the keeper that cleans up after it. */
export class AppProcess {
  readonly #process: ChildProcess;
  readonly #control: Socket;
  readonly #listener: AppProcessListener;
  readonly #exited = Promise.withResolvers<AppExit>();
  readonly #startTimer: NodeJS.Timeout | undefined;
  #failure: AppFailure | undefined;
  #how: string | undefined;
  #listeningSince: number | undefined;

  constructor(options: AppProcessOptions, listener: AppProcessListener) {
    const { python, env, config, startTimeoutMs, log } = options;
    this.#listener = listener;
    this.#process = spawnPython(python, 'web_app.keeper', env, { args: [JSON.stringify(config)] });
    this.#control = this.#process.stdio[3] as unknown as Socket;
    const events = new JsonLines();
    this.#control.setEncoding('utf8');
    this.#control.on('data', (text: string) => {
      try {
        events.push(text, (event) => this.#take(event));
      } catch (error) {
        // User code wrote to the control descriptor: nothing that comes on it can be trusted any more.
        log.write('warn', 'the app wrote to the worker’s own connection: its process is killed', { error });
        this.#control.removeAllListeners('data').resume();
        this.kill(garbageKillMs);
      }
    });
    this.#control.on('error', () => {});
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      const lines = new LineSplitter((line) => log.write('info', line, { source: 'app' }));
      stream?.on('data', (bytes: Buffer) => lines.push(bytes)).on('end', () => lines.end());
    }
    this.#process.on('error', (error) => this.#end(`it could not be started: ${error.message}`));
    this.#process.on('close', (code, signal) => this.#end(howEnded(code, signal)));
    if (startTimeoutMs > 0) {
      this.#startTimer = setTimeout(() => this.#giveUpStart(startTimeoutMs), startTimeoutMs);
    }
  }

  /** Resolves when the process and all it left behind are gone. */
  get exited(): Promise<AppExit> {
    return this.#exited.promise;
  }

  /** Whether the process listens, and may have requests in flight. */
  get isServing(): boolean {
    return this.#listeningSince !== undefined;
  }

  /** Has the process bind its port and listen; see PortSteering. */
  place({ host, port, isIpv6 }: AppPlace, share: boolean, steer: number | undefined): void {
    this.#send({ place: { host, port, ipv6: isIpv6, share, steer: steer ?? null } });
  }

  /** Has the kernel give connections to this many of the app's processes. */
  steer(processes: number): void {
    this.#send({ steer: processes });
  }

  /** Asks the app to finish what is in flight and to shut down. */
  terminate(): void {
    this.#process.kill('SIGTERM');
  }

  /** Ends the app now. Its keeper cleans up; it is killed too when it does not. */
  kill(keeperTimeoutMs: number): void {
    this.#process.kill('SIGUSR1');
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), keeperTimeoutMs);
    void this.exited.then(() => clearTimeout(timer));
  }

  #giveUpStart(startTimeoutMs: number): void {
    this.#failure = {
      reason: `it was not ready after ${startTimeoutMs} ms: raise FLASH_APP_START_TIMEOUT_MS`,
      missing: undefined,
      isFinal: false,
    };
    this.kill(startTimeoutMs);
  }

  #send(command: object): void {
    if (this.#control.writable) this.#control.write(`${JSON.stringify(command)}\n`);
  }

  #take(value: unknown): void {
    const event = eventSchema.parse(value);
    switch (event.event) {
      case 'loaded':
        return this.#listener.onLoaded(this);
      case 'listening':
        clearTimeout(this.#startTimer);
        this.#listeningSince = performance.now();
        return this.#listener.onListening(this, event.told ?? undefined);
      case 'steered':
        return this.#listener.onSteered(this, event.steered);
      case 'failed':
        this.#failure = { reason: event.reason, missing: event.missing ?? undefined, isFinal: event.final };
        return;
      case 'exited':
        this.#how = howEnded(event.code, event.signal);
    }
  }

  #end(how: string): void {
    clearTimeout(this.#startTimer);
    const since = this.#listeningSince;
    this.#exited.resolve({
      failure: this.#failure,
      how: this.#how ?? how,
      servedMs: since === undefined ? 0 : performance.now() - since,
    });
  }
}

function howEnded(code: number | null, signal: string | null): string {
  return signal ?? `exit code ${code}`;
}
