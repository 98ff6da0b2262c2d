import { readFileSync } from 'node:fs';
import { type FitnessCheck, UnfitError } from '@flash/worker-core';

/** May a process open enough files and connections? Those that run user code keep theirs at numbers from 200 on. */
export class OpenFilesCheck implements FitnessCheck {
  readonly name = 'open-files';
  readonly #minFiles: number;
  readonly #readLimits: () => string;

  /** @param readLimits - the text of `/proc/self/limits`. */
  constructor(minFiles: number, readLimits = () => readFileSync('/proc/self/limits', 'utf8')) {
    this.#minFiles = minFiles;
    this.#readLimits = readLimits;
  }

  async check(): Promise<void> {
    const most = this.#limit();
    if (most === undefined || most >= this.#minFiles) return;
    throw new UnfitError(
      this.name,
      `a process may open ${most} files here (ulimit -n) and FLASH_MIN_OPEN_FILES is ${this.#minFiles}: raise the limit, as with "ulimit -n 1024" or "docker run --ulimit nofile=1024"`,
    );
  }

  /** `undefined` where there is none, or the system does not tell. */
  #limit(): number | undefined {
    try {
      const soft = /^Max open files\s+(\d+)/m.exec(this.#readLimits())?.[1];
      return soft === undefined ? undefined : Number(soft);
    } catch (error) {
      // To read the file takes a descriptor, and a process that is at its limit has none left.
      return (error as NodeJS.ErrnoException).code === 'EMFILE' ? limitWithoutFile() : undefined;
    }
  }
}

/** The limit as Node's report tells it, which opens no file. */
function limitWithoutFile(): number {
  const { report } = process;
  Object.assign(report, { excludeNetwork: true });
  const { userLimits } = report.getReport() as unknown as {
    readonly userLimits?: { readonly open_files?: { readonly soft?: number | string } };
  };
  return Number(userLimits?.open_files?.soft ?? 0);
}
