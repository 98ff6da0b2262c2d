import type { ManifestStore } from '../ports/manifest-store.ts';
import { type ContractCase, ensure } from './contract-case.ts';

/** Manifests of the contract: what is here, and what the source has. */
export const contractManifests = {
  here: { version: '1.0', function_registry: { old: 'a' }, kept: { by: ['the', 'build'] } },
  atSource: { version: '1.0', function_registry: { new: 'a' } },
} as const;

/** What a store under test has here, and how its source answers. */
export interface ManifestSituation {
  readonly here: object | undefined;
  readonly source: object | Error | undefined;
}

/** What every ManifestStore does. */
export function manifestStoreContract(
  make: (situation: ManifestSituation) => Promise<ManifestStore>,
): ContractCase[] {
  const { here, atSource } = contractManifests;
  const check = (
    name: string,
    situation: ManifestSituation,
    body: (store: ManifestStore, warnings: string[]) => Promise<void>,
  ): ContractCase => ({
    name,
    run: async () => body(await make(situation), []),
  });
  return [
    check('has none where there is none', { here: undefined, source: undefined }, async (store) => {
      ensure((await store.read()) === undefined, 'it read a manifest');
      ensure((await store.current(() => {})) === undefined, 'it has a current manifest');
    }),
    check('keeps keys that it does not know', { here, source: undefined }, async (store) => {
      ensure(JSON.stringify((await store.read())?.kept) === JSON.stringify(here.kept), 'a key is lost');
    }),
    check('asks its source for the current one only', { here, source: atSource }, async (store) => {
      ensure((await store.read())?.function_registry.old === 'a', 'reading asked the source');
      ensure((await store.current(() => {}))?.function_registry.new === 'a', 'the source was not asked');
      ensure((await store.read())?.function_registry.new === 'a', 'the new one was forgotten');
    }),
    check(
      'takes what its source has where there is none',
      { here: undefined, source: atSource },
      async (store) => {
        ensure((await store.current(() => {}))?.function_registry.new === 'a', 'the source was not asked');
      },
    ),
    check(
      'serves on with what is here when its source fails, and says so',
      { here, source: new Error('down for repair') },
      async (store, warnings) => {
        const current = await store.current((line) => warnings.push(line));
        ensure(current?.function_registry.old === 'a', 'it lost what was here');
        ensure(
          warnings.length === 1 && (warnings[0] ?? '').includes('down for repair'),
          `it said: ${warnings}`,
        );
      },
    ),
  ];
}
