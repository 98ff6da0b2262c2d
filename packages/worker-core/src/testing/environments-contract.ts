import { InstallError } from '../errors/install-error.ts';
import { WorkerBusyError } from '../errors/worker-busy-error.ts';
import type { Environments } from '../ports/environments.ts';
import { type ContractCase, ensure, rejection } from './contract-case.ts';

/** What the contract may ask an implementation for. */
export interface EnvironmentsUnderTest {
  readonly environments: Environments;
  /** Another worker with an empty disk, and the same volume. */
  readonly newWorker: () => Promise<Environments>;
  /** Two versions of one package, as requirements. */
  readonly versions: readonly [string, string];
  /** A requirement that the base meets. */
  readonly ofBase: string;
  /** A package that does not exist. */
  readonly unknown: string;
}

/** What every Environments does. `make` gives one with room for two environments. */
export function environmentsContract(make: () => Promise<EnvironmentsUnderTest>): ContractCase[] {
  const check = (name: string, run: (test: EnvironmentsUnderTest) => Promise<void>): ContractCase => ({
    name,
    run: async () => {
      const test = await make();
      await run(test);
      await test.environments.close();
    },
  });
  const options = { accelerate: true };
  return [
    check('gives conflicting requirements an environment each, at the same time', async (test) => {
      const leases = await Promise.all(test.versions.map((one) => test.environments.acquire([one], options)));
      const ids = leases.map(({ environment }) => environment?.id);
      ensure(
        new Set(ids).size === 2 && !ids.includes(undefined),
        `two environments, not ${ids.join(' and ')}`,
      );
      for (const { release } of leases) release();
    }),
    check('gives the same requirements the same environment, however they are written', async (test) => {
      const [one] = test.versions;
      const [first, second, third] = await Promise.all([
        test.environments.acquire([one], options),
        test.environments.acquire([` ${one.toUpperCase()} `, one], options),
        test.environments.acquire([one], options),
      ]);
      ensure(first.environment?.id === second.environment?.id, 'spelling makes no difference');
      ensure(first.environment?.id === third.environment?.id, 'calls at the same time share it');
      for (const { release } of [first, second, third]) release();
    }),
    check('gives what the base meets no environment', async (test) => {
      const lease = await test.environments.acquire([test.ofBase], options);
      ensure(lease.environment === undefined, 'the base does');
      lease.release();
    }),
    check('names a package that does not exist, and what is no requirement', async (test) => {
      const unknown = await rejection(test.environments.acquire([test.unknown], options));
      ensure(unknown instanceof InstallError && unknown.failure === 'NOT_FOUND', String(unknown));
      ensure(unknown.message.includes(test.unknown), unknown.message);
      const refused = await rejection(test.environments.acquire(['--index-url=x'], options));
      ensure(refused instanceof InstallError && refused.failure === 'INVALID_SPECIFIER', String(refused));
    }),
    check('has no room for one more while all are in use, and makes some when one is not', async (test) => {
      const [one, other] = test.versions;
      const leases = [
        await test.environments.acquire([one], options),
        await test.environments.acquire([other], options),
      ];
      const third = [`${one.split('==', 1)[0]}!=${one.split('==')[1]}`];
      const error = await rejection(test.environments.acquire(third, options));
      ensure(
        error instanceof WorkerBusyError && error.message.includes('FLASH_MAX_ENVIRONMENTS'),
        String(error),
      );
      leases[0]?.release();
      (await test.environments.acquire(third, options)).release();
      leases[1]?.release();
    }),
    check('leaves an installation when its request is cancelled', async (test) => {
      const signal = AbortSignal.abort();
      const error = await rejection(test.environments.acquire([test.versions[0]], { ...options, signal }));
      ensure(error instanceof InstallError && error.failure === 'CANCELLED', String(error));
    }),
    check('brings another worker what was used here, also ahead of a request', async (test) => {
      const lease = await test.environments.acquire([test.versions[0]], options);
      lease.release();
      await test.environments.close();
      // The environment is written to the volume in the background.
      for (let attempt = 0; ; attempt++) {
        const other = await test.newWorker();
        const ahead = await other.prewarm();
        const found = ahead.map(({ id }) => id).includes(lease.environment?.id ?? '');
        if (found) {
          const lines: string[] = [];
          const here = await other.acquire([test.versions[0]], {
            ...options,
            onLine: (line) => lines.push(line),
          });
          ensure(here.environment?.id === lease.environment?.id, 'it is the one that was brought');
          ensure(lines.length === 0, 'nothing is to be done for it');
          here.release();
          await other.close();
          return;
        }
        await other.close();
        ensure(attempt < 1000, 'it never came to the volume');
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }),
  ];
}
