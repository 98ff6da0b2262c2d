import { describe, it } from '@jest/globals';
import {
  contractFunctions,
  executorContract,
  FakeExecutor,
  FakeInstaller,
  FakeJobQueue,
  installerContract,
  jobQueueContract,
} from './index.ts';

describe('FakeExecutor keeps the contract of Executor', () => {
  const fakes = Object.fromEntries(Object.entries(contractFunctions).map(([name, { fake }]) => [name, fake]));
  for (const { name, run } of executorContract(async () => new FakeExecutor(fakes))) it(name, run);
});

describe('FakeInstaller keeps the contract of Installer', () => {
  const make = async (): Promise<FakeInstaller> => {
    const installer = new FakeInstaller();
    installer.unknown.add('unknown');
    return installer;
  };
  const packages = { wanted: 'wanted', unknown: 'unknown', refused: '--option' };
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
