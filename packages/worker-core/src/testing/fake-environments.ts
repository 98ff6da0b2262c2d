import { InstallError } from '../errors/install-error.ts';
import { WorkerBusyError } from '../errors/worker-busy-error.ts';
import type { Environment, EnvironmentLease, Environments } from '../ports/environments.ts';
import type { InstallOptions } from '../ports/installer.ts';

/** Environments in memory: each is but its requirements. Several fakes may share what is kept on a volume. */
export class FakeEnvironments implements Environments {
  /** Packages that can't be had. */
  readonly unknown = new Set<string>();
  /** Requirements that the base meets. */
  readonly ofBase = new Set<string>();
  readonly kept: Set<string>;
  /** Leases that are out, by environment. */
  readonly uses = new Map<string, number>();
  readonly #most: number;

  constructor(most = 8, kept: Set<string> = new Set()) {
    this.#most = most;
    this.kept = kept;
  }

  async acquire(requirements: readonly string[], options: InstallOptions): Promise<EnvironmentLease> {
    const normalized = [...new Set(requirements.map((text) => text.trim().toLowerCase()))].sort();
    const refused = normalized.find((text) => text.startsWith('-'));
    if (refused !== undefined)
      throw new InstallError('INVALID_SPECIFIER', [refused], `${refused} is no requirement`);
    if (options.signal?.aborted) throw new InstallError('CANCELLED', requirements, 'it was cancelled');
    const unknown = normalized.find((text) => this.unknown.has(text));
    if (unknown !== undefined) throw new InstallError('NOT_FOUND', [unknown], `${unknown} was not found`);
    if (normalized.every((text) => this.ofBase.has(text)))
      return { environment: undefined, release: () => {} };
    const id = normalized.join(' ');
    if (!this.uses.has(id)) this.#add(id, options);
    this.uses.set(id, (this.uses.get(id) ?? 0) + 1);
    let isReleased = false;
    return {
      environment: describe(id),
      release: () => {
        if (!isReleased) this.uses.set(id, (this.uses.get(id) ?? 0) - 1);
        isReleased = true;
      },
    };
  }

  async prewarm(): Promise<readonly Environment[]> {
    for (const id of this.kept) this.uses.set(id, 0);
    return [...this.kept].map(describe);
  }

  async close(): Promise<void> {
    for (const id of this.uses.keys()) this.kept.add(id);
  }

  #add(id: string, { onLine }: InstallOptions): void {
    const unused = [...this.uses].find(([, uses]) => uses === 0)?.[0];
    if (this.uses.size >= this.#most) {
      if (unused === undefined)
        throw new WorkerBusyError('all environments are in use; raise FLASH_MAX_ENVIRONMENTS');
      this.uses.delete(unused);
    }
    onLine?.(`installed ${id}`);
  }
}

function describe(id: string): Environment {
  return { id, python: `/environments/${id}/bin/python`, variables: {} };
}
