import { AppError } from '../errors/app-error.ts';
import type { AppPlace, AppServer } from '../ports/app-server.ts';
import { type ContractCase, ensure } from './contract-case.ts';

/** Which app a server under test serves. */
export type AppUnderTest = 'good' | 'failing' | 'lacking a module';

/** The module that the app "lacking a module" wants for. */
export const lackingModule = 'no_such_module_of_ours';

/** A server, and the place it is given: a port that no process holds. */
export interface AppServerUnderTest {
  readonly server: AppServer;
  readonly place: AppPlace;
}

/** What every AppServer does. */
export function appServerContract(make: (app: AppUnderTest) => Promise<AppServerUnderTest>): ContractCase[] {
  const check = (
    name: string,
    app: AppUnderTest,
    isShared: boolean,
    until: (told: string[]) => boolean,
    look: (told: string[]) => void,
  ): ContractCase => ({
    name,
    run: async () => {
      const { server, place } = await make(app);
      const told: string[] = [];
      const enough = Promise.withResolvers<void>();
      const tell = (event: string): void => {
        told.push(event);
        if (until(told)) enough.resolve();
      };
      const served = server.serve(
        { ...place, isShared },
        {
          ready: () => tell('ready'),
          unavailable: (error) =>
            tell(error instanceof AppError ? `unavailable: ${error.message}` : 'wrong error'),
          releasePort: async () => tell('release'),
          missingModule: async (name) => {
            tell(`missing: ${name}`);
            return false;
          },
        },
      );
      await Promise.race([enough.promise, served]);
      await server.close();
      await served;
      look(told);
    },
  });
  return [
    check(
      'says when the app is ready, and resolves when it is closed',
      'good',
      true,
      (told) => told.includes('ready'),
      (told) => ensure(told.filter((event) => event === 'ready').length === 1, `it told: ${told}`),
    ),
    check(
      'asks for a port that it can’t share before it says ready',
      'good',
      false,
      (told) => told.includes('ready'),
      (told) => ensure(told[0] === 'release' && told.indexOf('ready') > 0, `it told: ${told}`),
    ),
    check(
      'says why an app can’t be served, and tries again',
      'failing',
      true,
      (told) => told.length >= 2,
      (told) =>
        ensure(
          told.every((event) => event.startsWith('unavailable: ')),
          `it told: ${told}`,
        ),
    ),
    check(
      'names the module that an app lacks',
      'lacking a module',
      true,
      (told) => told.length >= 2,
      (told) =>
        ensure(
          told[0] === `missing: ${lackingModule}` && (told[1] ?? '').startsWith('unavailable: '),
          `it told: ${told}`,
        ),
    ),
  ];
}
