import { randomUUID } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

/**
 * One worker's turn to tidy the volume, for a while. It keeps two from doing the same work; nothing gets lost when two do.
 */
export class Lease {
  readonly #path: string;
  readonly #owner = randomUUID();
  readonly #directory: string;
  readonly #lastsMs: number;

  constructor(directory: string, lastsMs: number) {
    this.#directory = directory;
    this.#path = join(directory, 'maintenance.lease');
    this.#lastsMs = lastsMs;
  }

  /** Whether it is ours now. */
  take(): boolean {
    mkdirSync(this.#directory, { recursive: true });
    if (this.#create()) return true;
    if (!this.#hasExpired()) return false;
    // Of two workers that find it expired one moves it away; the other finds nothing to move, or a third worker's new lease in its place.
    const aside = `${this.#path}-${this.#owner}`;
    try {
      renameSync(this.#path, aside);
    } catch {
      return false;
    }
    rmSync(aside, { force: true });
    return this.#create();
  }

  /** Renews the lease. @returns whether this worker still has it. */
  renew(): boolean {
    if (!this.#isOurs()) return false;
    this.#write('r+');
    return true;
  }

  /** The time on the volume when the lease was last taken or renewed, in milliseconds since 1970. Clocks of workers differ. */
  get volumeTime(): number {
    return statSync(this.#path).mtimeMs;
  }

  release(): void {
    if (this.#isOurs()) rmSync(this.#path, { force: true });
  }

  #create(): boolean {
    try {
      this.#write('wx');
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    }
  }

  #write(flag: 'wx' | 'r+'): void {
    const descriptor = openSync(this.#path, flag);
    try {
      writeSync(descriptor, this.#owner);
    } finally {
      closeSync(descriptor);
    }
  }

  #isOurs(): boolean {
    try {
      return readFileSync(this.#path, 'utf8') === this.#owner;
    } catch {
      return false;
    }
  }

  #hasExpired(): boolean {
    const stat = statSync(this.#path, { throwIfNoEntry: false });
    return stat !== undefined && Date.now() - stat.mtimeMs > this.#lastsMs;
  }
}
