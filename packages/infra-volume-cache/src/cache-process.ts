import { type ChildProcess, fork } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FetchStage } from './kept-place.ts';
import type { Calls, Message, Question } from './process/messages.ts';

/** This package runs as it was built, and as it was written. */
const isSource = import.meta.url.endsWith('.ts');
const main = fileURLToPath(new URL(isSource ? './process/main.ts' : './process/main.js', import.meta.url));
/** Manifests are read and forgotten: a small young generation keeps the process small too. */
const flags = ['--max-semi-space-size=2'];
const sourceFlags = ['--conditions=source', '--disable-warning=ExperimentalWarning'];

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly onStage: ((stage: FetchStage) => void) | undefined;
}

/**
 * The process that reads and writes the volume. A volume that hangs keeps only this process waiting: it can be left behind at any moment,
 * as nothing it does is ever half done.
 */
export class CacheProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;
  #hasEnded = false;

  constructor(onWarning: (line: string) => void) {
    this.#child = fork(main, [], {
      execArgv: isSource ? [...flags, ...sourceFlags] : flags,
      // It needs none of the worker's secrets.
      env: {
        PATH: process.env.PATH,
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(tmpdir(), 'node-compile-cache'),
      },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'json',
    });
    this.#child.on('message', (message: Message) => {
      if (message.kind === 'warning') onWarning(message.line);
      else if (message.kind === 'stage') this.#waiting.get(message.call)?.onStage?.(message.stage);
      else this.#take(message);
    });
    this.#child.on('error', (error) => this.#end(error));
    this.#child.on('exit', (code, signal) =>
      this.#end(new Error(`the process of the volume's cache ended (${signal ?? `exit code ${code}`})`)),
    );
    // It keeps no worker from ending; one that has questions open waits for the answers by itself.
    this.#child.unref();
    this.#child.channel?.unref();
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** @throws Error with what the process says, or that it has ended. */
  ask<Name extends keyof Calls>(
    name: Name,
    given: Calls[Name]['with'],
    onStage?: (stage: FetchStage) => void,
  ): Promise<Calls[Name]['answer']> {
    const call = this.#next++;
    return new Promise((resolve, reject) => {
      if (this.#hasEnded) {
        reject(new Error("the process of the volume's cache has ended"));
        return;
      }
      this.#waiting.set(call, {
        resolve: (answer) => resolve(answer as Calls[Name]['answer']),
        reject,
        onStage,
      });
      this.#child.channel?.ref();
      this.#child.send({ call, name, with: given } satisfies Question, (error) => {
        if (error !== null) this.#end(error);
      });
    });
  }

  /** Answers what it was asked, and nothing more. */
  retire(): void {
    this.#hasEnded = true;
    if (this.#waiting.size === 0) this.kill();
  }

  kill(): void {
    this.#hasEnded = true;
    this.#child.kill('SIGKILL');
  }

  #take(message: Exclude<Message, { kind: 'warning' | 'stage' }>): void {
    const waiting = this.#waiting.get(message.call);
    this.#waiting.delete(message.call);
    if (this.#waiting.size === 0) {
      this.#child.channel?.unref();
      if (this.#hasEnded) this.kill();
    }
    if (message.kind === 'answer') waiting?.resolve(message.answer);
    else waiting?.reject(Object.assign(new Error(message.message), { code: message.code }));
  }

  #end(error: Error): void {
    this.#hasEnded = true;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
