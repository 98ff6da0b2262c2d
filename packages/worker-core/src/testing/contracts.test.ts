import { describe, it } from '@jest/globals';
import {
  appServerContract,
  contractFunctions,
  contractRemoteFunctions,
  endpointRouterContract,
  environmentsContract,
  executorContract,
  FakeAppServer,
  FakeEndpointRouter,
  FakeEnvironments,
  FakeExecutor,
  FakeInstaller,
  FakeJobQueue,
  FakeManifestStore,
  type FakeVolume,
  FakeVolumeCache,
  installerContract,
  jobQueueContract,
  lackingModule,
  type ManifestSituation,
  manifestStoreContract,
  type RouterUnderTest,
  volumeCacheContract,
} from './index.ts';

describe('FakeExecutor keeps the contract of Executor', () => {
  const fakes = Object.fromEntries(Object.entries(contractFunctions).map(([name, { fake }]) => [name, fake]));
  for (const { name, run } of executorContract(async () => new FakeExecutor(fakes))) it(name, run);
});

describe('FakeAppServer keeps the contract of AppServer', () => {
  const place = { host: '', port: 0, isIpv6: false, isShared: true, keepAliveMs: 0, drainMs: 0 };
  const starts = {
    good: 'ready',
    failing: { failure: 'it is broken' },
    'lacking a module': { missing: lackingModule },
  } as const;
  for (const { name, run } of appServerContract(async (app) => ({
    server: new FakeAppServer(starts[app]),
    place,
  })))
    it(name, run);
});

describe('FakeInstaller keeps the contract of Installer', () => {
  const make = async (): Promise<FakeInstaller> => {
    const installer = new FakeInstaller();
    installer.unknown.add('unknown');
    return installer;
  };
  const packages = {
    wanted: 'wanted',
    unknown: 'unknown',
    contradicting: ['x=1', 'x=2'] as const,
    refused: '--option',
  };
  for (const { name, run } of installerContract(make, packages)) it(name, run);
});

describe('FakeJobQueue keeps the contract of JobQueue', () => {
  const parse = (json: Uint8Array | undefined): object =>
    json === undefined ? {} : { output: JSON.parse(new TextDecoder().decode(json)) };
  const make = async () => {
    const queue = new FakeJobQueue();
    return {
      queue,
      submit: async (input: unknown) => {
        const job = queue.submit(input);
        return {
          id: job.id,
          result: async () => {
            const outcome = await job.ended;
            return { ...parse(outcome?.outputJson), ...(outcome?.error ? { error: outcome.error } : {}) };
          },
          chunks: async () => job.chunks,
          stop: async () => job.stop(),
        };
      },
      close: async () => {},
    };
  };
  for (const { name, run } of jobQueueContract(make)) it(name, run);
});

describe('FakeManifestStore keeps the contract of ManifestStore', () => {
  const make = async ({ here, source }: ManifestSituation) => new FakeManifestStore(here, source);
  for (const { name, run } of manifestStoreContract(make)) it(name, run);
});

describe('FakeEndpointRouter keeps the contract of EndpointRouter', () => {
  const make = async (): Promise<RouterUnderTest> => ({
    router: new FakeEndpointRouter(contractRemoteFunctions),
    endpoint: (form) => ({ form, resource: 'there', url: 'fake:', takesMethod: false }),
    close: async () => {},
  });
  for (const { name, run } of endpointRouterContract(make)) it(name, run);
});

describe('FakeVolumeCache keeps the contract of VolumeCache', () => {
  const make = async () => {
    const volume: FakeVolume = { files: new Map(), directories: new Map(), failure: undefined };
    let paths = 0;
    return {
      newWorker: async () => {
        const cache = new FakeVolumeCache(volume);
        return {
          cache,
          write: async (path: string, text: string) => void cache.local.set(path, text),
          read: async (path: string) => cache.local.get(path),
          makeDirectory: async (text: string) => {
            const path = `directory ${paths++}`;
            cache.localDirectories.set(path, text);
            return path;
          },
          readDirectory: async (path: string) => cache.localDirectories.get(path) as string | undefined,
          newPath: () => `directory ${paths++}`,
        };
      },
      lose: async () => {
        volume.failure = new Error('it is lost');
      },
    };
  };
  for (const { name, run } of volumeCacheContract(make)) it(name, run);
});

describe('FakeEnvironments keeps the contract of Environments', () => {
  const make = async () => {
    const environments = new FakeEnvironments(2);
    environments.unknown.add('nope');
    environments.ofBase.add('base');
    const newWorker = async () => new FakeEnvironments(2, environments.kept);
    return {
      environments,
      newWorker,
      versions: ['six==1.15.0', 'six==1.16.0'] as const,
      ofBase: 'base',
      unknown: 'nope',
    };
  };
  for (const { name, run } of environmentsContract(make)) it(name, run);
});
