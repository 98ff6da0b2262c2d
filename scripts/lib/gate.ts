import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pythonCode } from './python-code.ts';
import { until } from './until.ts';

/** Holds Python of a test where it is until the test lets it go on, so that the order of events does not follow from how fast the machine is. */
export class Gate {
  /** It is there until the gate is opened. */
  readonly path = mkdtempSync(join(tmpdir(), 'flash-gate-'));
  /** A statement in Python, on one line: it tells that it has come to the gate, and waits there. */
  readonly wait: string;

  /** @param isBusy - whether Python computes while it waits, instead of sleeping. */
  constructor({ isBusy = false } = {}) {
    const code = pythonCode`
      import os, time, uuid
      directory = ${JSON.stringify(this.path)}
      try:
          open(os.path.join(directory, uuid.uuid4().hex), "x").close()
      except FileNotFoundError:
          pass
      end = time.monotonic() + 100
      while os.path.exists(directory):
          if time.monotonic() > end:
              raise TimeoutError("the test did not open the gate")
          ${isBusy ? 'pass' : 'time.sleep(0.01)'}
    `;
    this.wait = `exec(${JSON.stringify(code)}, {})`;
  }

  /** Waits until so many have come. */
  come(count = 1): Promise<void> {
    return until(() => readdirSync(this.path).length >= count);
  }

  /** Lets all go on, those that come later too. */
  open(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
