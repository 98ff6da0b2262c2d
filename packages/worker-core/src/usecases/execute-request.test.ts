import { beforeEach, describe, expect, it } from '@jest/globals';
import { InvalidRequestError } from '../errors/invalid-request-error.ts';
import type { RequestEvent } from '../output/request-log.ts';
import { functionCallFrom } from '../protocol/decode-function-call.ts';
import type { FunctionRequestInput } from '../protocol/function-request.ts';
import { FakeEnvironments } from '../testing/fake-environments.ts';
import { FakeExecutor } from '../testing/fake-executor.ts';
import { FakeInstaller } from '../testing/fake-installer.ts';
import { FakeVolumeCache } from '../testing/fake-volume-cache.ts';
import { RecordingLog } from '../testing/recording-log.ts';
import { RecordingMetrics } from '../testing/recording-metrics.ts';
import { ExecuteRequest } from './execute-request.ts';
import { InstallDependencies } from './install-dependencies.ts';

describe('ExecuteRequest', () => {
  let executor: FakeExecutor;
  let python: FakeInstaller;
  let volumeCache: FakeVolumeCache;
  let log: RecordingLog;
  let metrics: RecordingMetrics;
  let executeRequest: ExecuteRequest;
  const execute = async (request: FunctionRequestInput, options = {}) =>
    (
      await executeRequest.execute(
        functionCallFrom({ function_code: '…', serialization_format: 'json', ...request }),
        {
          requestId: 'r1',
          ...options,
        },
      )
    ).toObject();

  beforeEach(() => {
    executor = new FakeExecutor({
      add: ({ args }) => Number(args[0]) + Number(args[1]),
      say: ({ print }) => print('first\nsecond'),
      fail: () => {
        throw new Error('boom');
      },
    });
    python = new FakeInstaller();
    volumeCache = new FakeVolumeCache();
    log = new RecordingLog();
    metrics = new RecordingMetrics();
    const installDependencies = new InstallDependencies({ python, system: new FakeInstaller(), volumeCache });
    executeRequest = new ExecuteRequest({
      executor,
      installDependencies,
      volumeCache,
      log,
      metrics,
      maxLoggedOutputBytes: 20,
    });
  });

  it('measures requests by how they end, and those at work', async () => {
    let atWork: number | undefined;
    executor = new FakeExecutor({
      look: () => {
        atWork = metrics.now('flash_requests_in_progress');
      },
      fail: () => {
        throw new Error('boom');
      },
    });
    const installDependencies = new InstallDependencies({ python, system: new FakeInstaller(), volumeCache });
    const parts = { executor, installDependencies, volumeCache, log, metrics, maxLoggedOutputBytes: 20 };
    executeRequest = new ExecuteRequest(parts);
    await execute({ function_name: 'look' });
    await execute({ function_name: 'fail', dependencies: ['numpy'] });
    const withoutCode = functionCallFrom({ function_name: 'unknown' });
    await expect(executeRequest.execute(withoutCode, { requestId: 'r' })).rejects.toThrow('function_code');
    expect(atWork).toBe(1);
    expect(metrics.now('flash_requests_in_progress')).toBe(0);
    expect(metrics.counts).toEqual({
      'flash_requests_total returned': 1,
      'flash_requests_total failed': 1,
      'flash_requests_total refused': 1,
    });
    expect(Object.entries(metrics.times).map(([name, times]) => [name, times.length])).toEqual([
      ['flash_run_duration_seconds', 2],
      ['flash_request_duration_seconds', 3],
      ['flash_hydrate_duration_seconds', 1],
      ['flash_install_duration_seconds', 1],
      ['flash_prepare_duration_seconds ready', 1],
      ['flash_sync_duration_seconds', 1],
    ]);
  });

  it('answers with the result and nothing else', async () => {
    expect(await execute({ function_name: 'add', args: [2, 3] })).toEqual({
      success: true,
      result: null,
      json_result: 5,
      error: null,
      stdout: null,
      instance_id: null,
      instance_info: null,
    });
    expect(log.events).toEqual([]);
    expect([volumeCache.hydrations, volumeCache.syncs]).toEqual([0, 0]);
  });

  it('hydrates, installs, tells the executor, syncs, runs; system lines open the stdout', async () => {
    const { stdout } = await execute({ function_name: 'say', dependencies: ['six'] });
    expect(stdout).toBe('Installing Python packages: six\ninstalled six\n\nfirst\nsecond');
    expect(executor.changes).toEqual([expect.objectContaining({ name: 'six' })]);
    expect(volumeCache.syncs).toBe(1);
  });

  it('tells the cache of every run, as user code may add to it', async () => {
    await execute({ function_name: 'say' });
    await execute({ function_name: 'say' });
    expect(volumeCache.notedRuns).toBe(2);
  });

  it('does not wait for the cache to be synced, but close does', async () => {
    const gate = Promise.withResolvers<void>();
    volumeCache.work = () => gate.promise;
    await execute({ function_name: 'say', dependencies: ['six'] });
    let closed = false;
    const closing = executeRequest.close().then(() => {
      closed = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(closed).toBe(false);
    gate.resolve();
    await closing;
  });

  it('logs a sync that fails and goes on', async () => {
    volumeCache.work = () => Promise.reject(new Error('the volume is full'));
    expect((await execute({ function_name: 'say', dependencies: ['six'] })).success).toBe(true);
    await executeRequest.close();
    expect(log.messages).toContainEqual(expect.stringContaining('could not be synced'));
  });

  it('answers a failed installation with its reason and its log, and runs nothing', async () => {
    python.unknown.add('nope');
    const response = await execute({ function_name: 'add', dependencies: ['nope'] });
    expect(response).toMatchObject({ success: false, error: 'nope was not found' });
    expect(response.stdout).toContain('Installing Python packages: nope');
    expect(executor.calls).toEqual([]);
  });

  it('answers a failing function with its error', async () => {
    expect(await execute({ function_name: 'fail' })).toMatchObject({
      success: false,
      error: expect.stringMatching(/^boom\n/),
    });
  });

  it('shows lines live to the log and to a listener, with the id of the request', async () => {
    const events: unknown[] = [];
    await execute({ function_name: 'say' }, { onEvent: (event: unknown) => events.push(event) });
    expect(events).toEqual([{ kind: 'output', text: 'first\nsecond' }]);
    expect(log.events).toEqual([
      { level: 'info', message: 'first', fields: { requestId: 'r1', source: 'user' } },
      { level: 'info', message: 'second', fields: { requestId: 'r1', source: 'user' } },
    ]);
  });

  it('stops logging a flood, and says so', async () => {
    executor = new FakeExecutor({
      flood: ({ print }) => {
        for (let line = 0; line < 100; line++) print('0123456789\n');
      },
    });
    executeRequest = new ExecuteRequest({
      executor,
      installDependencies: new InstallDependencies({ python, system: new FakeInstaller(), volumeCache }),
      volumeCache,
      log,
      maxLoggedOutputBytes: 20,
    });
    const live: string[] = [];
    const { stdout } = await execute(
      { function_name: 'flood' },
      { onEvent: (event: RequestEvent) => event.kind === 'output' && live.push(event.text) },
    );
    expect(stdout).toHaveLength(1100);
    expect(live.slice(0, -1).join('').length).toBeLessThan(50);
    expect(live.at(-1)).toContain(
      'further output is not shown while it runs (FLASH_MAX_LOGGED_OUTPUT_BYTES)',
    );
    expect(log.events.length).toBeLessThan(6);
    expect(log.messages).toContainEqual(expect.stringContaining('FLASH_MAX_LOGGED_OUTPUT_BYTES'));
  });

  it('refuses a request without code, naming the field', async () => {
    await expect(execute({ function_name: 'add', function_code: null })).rejects.toThrow(InvalidRequestError);
    await expect(execute({ function_name: 'add', function_code: null })).rejects.toThrow('function_code');
  });

  it('runs in the environment of its packages, and lets go of it however the run ends', async () => {
    const environments = new FakeEnvironments();
    executeRequest = new ExecuteRequest({
      executor,
      installDependencies: new InstallDependencies({
        python,
        system: new FakeInstaller(),
        environments,
        volumeCache,
      }),
      volumeCache,
      environments,
      log,
      maxLoggedOutputBytes: 20,
    });
    for (const name of ['say', 'fail']) await execute({ function_name: name, dependencies: ['six'] });
    await execute({ function_name: 'say' });
    expect(executor.environments).toEqual(['six', 'six', undefined]);
    expect([...environments.uses]).toEqual([['six', 0]]);
    await executor.close();
    await expect(execute({ function_name: 'say', dependencies: ['six'] })).rejects.toThrow();
    expect([...environments.uses]).toEqual([['six', 0]]);
    await executeRequest.close();
    expect([...environments.kept]).toEqual(['six']);
  });
});
