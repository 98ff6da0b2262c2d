import { describe, it } from '@jest/globals';
import {
  contractFunctions,
  executorContract,
  FakeExecutor,
  FakeInstaller,
  installerContract,
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
