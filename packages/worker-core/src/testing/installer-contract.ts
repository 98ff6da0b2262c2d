import { InstallError } from '../errors/install-error.ts';
import type { Installer } from '../ports/installer.ts';
import { type ContractCase, ensure, rejection } from './contract-case.ts';

/** Packages that the contract may use with an installer. */
export interface ContractPackages {
  /** Exists and is not installed in a fresh environment. */
  readonly wanted: string;
  /** Does not exist. */
  readonly unknown: string;
  /** Two requirements of one package that can't both be met. */
  readonly contradicting: readonly [string, string];
  /** Is no package name, and would reach a tool as an option. */
  readonly refused: string;
}

/** What every Installer does. `make` gives one with a fresh environment. */
export function installerContract(
  make: () => Promise<Installer>,
  packages: ContractPackages,
): ContractCase[] {
  const { wanted, unknown, refused, contradicting } = packages;
  return [
    {
      name: 'tells what is missing, installs it, and then misses nothing',
      run: async () => {
        const installer = await make();
        const lines: string[] = [];
        ensure((await installer.missing([wanted])).length === 1, `${wanted} should be missing`);
        const changes = await installer.install([wanted], {
          accelerate: true,
          onLine: (line) => lines.push(line),
        });
        ensure((await installer.missing([wanted])).length === 0, `${wanted} should be installed`);
        ensure(lines.length > 0, 'nothing was reported while it ran');
        ensure(
          changes.every(({ previousVersion }) => previousVersion === undefined),
          'nothing was replaced',
        );
      },
    },
    {
      name: 'names a package that does not exist',
      run: async () => {
        const error = await rejection((await make()).install([unknown], { accelerate: true }));
        ensure(error instanceof InstallError && error.failure === 'NOT_FOUND', String(error));
        ensure(error.message.includes(unknown), error.message);
      },
    },
    {
      name: 'refuses a set that contradicts itself, also when a part of it is installed',
      run: async () => {
        const [one, other] = contradicting;
        const installer = await make();
        for (let attempt = 0; attempt < 2; attempt++) {
          const error = await rejection(installer.install([one, other], { accelerate: true }));
          ensure(error instanceof InstallError && error.failure === 'CONFLICT', String(error));
          ensure(error.message.includes(one) && error.message.includes(other), error.message);
          await installer.install([one], { accelerate: true });
        }
      },
    },
    {
      name: 'keeps what earlier requests were promised: what contradicts it is refused, and nothing is replaced',
      run: async () => {
        const [one, other] = contradicting;
        const installer = await make();
        await installer.install([one], { accelerate: true });
        const error = await rejection(installer.install([other], { accelerate: true }));
        ensure(error instanceof InstallError && error.failure === 'CONFLICT', String(error));
        ensure(error.message.includes(one) && error.message.includes(other), error.message);
        ensure((await installer.missing([one])).length === 0, `${one} was replaced`);
        // What was refused was not promised.
        await installer.install([one, wanted], { accelerate: true });
      },
    },
    {
      name: 'refuses what would reach a tool as an option, before anything is started',
      run: async () => {
        const error = await rejection((await make()).missing([refused]));
        ensure(error instanceof InstallError && error.failure === 'INVALID_SPECIFIER', String(error));
      },
    },
    {
      name: 'installs nothing once its signal has aborted',
      run: async () => {
        const error = await rejection(
          (await make()).install([wanted], { accelerate: true, signal: AbortSignal.abort() }),
        );
        ensure(error instanceof InstallError && error.failure === 'CANCELLED', String(error));
      },
    },
  ];
}
