import { describe, expect, it } from '@jest/globals';
import { WorkerStartError } from '../errors/worker-start-error.ts';
import type { Executor } from '../ports/executor.ts';
import { functionCallFrom } from '../protocol/decode-function-call.ts';
import { contractFunctions, executorContract, FakeExecutor } from '../testing/index.ts';
import { RenewableExecutor } from './renewable-executor.ts';

const call = (name: string) =>
  functionCallFrom({ function_name: name, function_code: '-', serialization_format: 'json' });
const fakes = Object.fromEntries(Object.entries(contractFunctions).map(([name, { fake }]) => [name, fake]));

describe('RenewableExecutor keeps the contract of Executor', () => {
  const make = async () => new RenewableExecutor(() => new FakeExecutor(fakes));
  for (const { name, run } of executorContract(make)) it(name, run);
});

describe('RenewableExecutor', () => {
  function setUp() {
    const release = Promise.withResolvers<string>();
    const made: FakeExecutor[] = [];
    const executor = new RenewableExecutor(() => {
      const number = made.length;
      const fake = new FakeExecutor({ which: () => number, slow: () => release.promise });
      made.push(fake);
      return fake;
    });
    const isClosed = (index: number) =>
      made[index]?.run(call('which'), { requestId: 'probe' }).then(
        () => false,
        () => true,
      );
    const run = async (name: string) => {
      const { result } = await executor.run(call(name), { requestId: name });
      return result?.format === 'json' ? JSON.parse(Buffer.from(result.json).toString()) : undefined;
    };
    return { executor, made, isClosed, run, release };
  }

  it('runs in a new executor after a renewal, which is started and warmed at once', async () => {
    const { executor, made, run, isClosed } = setUp();
    expect(await run('which')).toBe(0);
    executor.renew();
    expect(await run('which')).toBe(1);
    expect([made[1]?.starts, made[1]?.warmed.length]).toEqual([1, 1]);
    expect([await isClosed(0), await isClosed(1)]).toEqual([true, false]);
  });

  it('lets what is at work end where it is, and closes the old executor then', async () => {
    const { executor, run, isClosed, release } = setUp();
    const slow = run('slow');
    executor.renew();
    executor.renew();
    expect(await run('which')).toBe(2);
    expect([await isClosed(0), await isClosed(1)]).toEqual([false, true]);
    release.resolve('done');
    expect(await slow).toBe('done');
    expect(await isClosed(0)).toBe(true);
  });

  it('does not call an environment closed in which an old executor is still at work', async () => {
    const { executor, release } = setUp();
    const environment = { id: 'e', python: 'python3', variables: {} };
    const slow = executor.run(call('slow'), { requestId: 'slow', environment });
    executor.renew();
    expect(await executor.closeEnvironment('e')).toBe(false);
    release.resolve('');
    await slow;
    expect(await executor.closeEnvironment('e')).toBe(true);
  });

  it('closes all of them, and is not renewed after that', async () => {
    const { executor, made, run, isClosed } = setUp();
    void run('slow');
    executor.renew();
    await executor.close();
    executor.renew();
    expect([made.length, await isClosed(0), await isClosed(1)]).toEqual([2, true, true]);
    await expect(run('which')).rejects.toThrow('shut');
  });

  it('says why no process could be started for a run, and leaves other failures as they are', async () => {
    const failures = [new WorkerStartError('exit code 70'), new TypeError('another')];
    const fails = {
      run: async () => {
        throw failures.shift();
      },
    } as unknown as Executor;
    const explain = async ({ message }: Error) => new WorkerStartError(`the disk is full (${message})`);
    const executor = new RenewableExecutor(() => fails, explain);
    const run = () => executor.run(call('any'), { requestId: 'any' });
    await expect(run()).rejects.toThrow('the disk is full (exit code 70)');
    await expect(run()).rejects.toThrow(/^another$/);
  });
});
