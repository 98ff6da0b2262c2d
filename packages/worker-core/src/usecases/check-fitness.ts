import { UnfitError } from '../errors/unfit-error.ts';
import type { FitnessCheck } from '../ports/fitness-check.ts';
import type { Log } from '../ports/log.ts';

/** Asks every fitness check, side by side, whether this machine can serve. */
export class CheckFitness {
  readonly #checks: readonly FitnessCheck[];
  readonly #log: Log;
  readonly #timeoutMs: number;

  /** @param timeoutMs - longest time all checks together may take. */
  constructor(checks: readonly FitnessCheck[], log: Log, timeoutMs: number) {
    this.#checks = checks;
    this.#log = log;
    this.#timeoutMs = timeoutMs;
  }

  /** @returns what is wrong first of all; `undefined` when nothing is. Every failed check is logged. */
  async run(): Promise<UnfitError | undefined> {
    const found = await Promise.all(this.#checks.map((check) => this.#ask(check)));
    return found.find((failure) => failure !== undefined);
  }

  async #ask(check: FitnessCheck): Promise<UnfitError | undefined> {
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), this.#timeoutMs);
    try {
      await Promise.race([check.check(timeout.signal), aborted(timeout.signal)]);
      return undefined;
    } catch (cause) {
      const reason = timeout.signal.aborted
        ? `no answer in ${this.#timeoutMs} ms (FLASH_FITNESS_TIMEOUT_MS)`
        : (cause as Error).message;
      const failure = cause instanceof UnfitError ? cause : new UnfitError(check.name, reason, { cause });
      this.#log.write('error', 'this machine is not fit to serve', { check: check.name, reason });
      return failure;
    } finally {
      clearTimeout(timer);
    }
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
