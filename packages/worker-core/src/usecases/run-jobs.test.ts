import { describe, expect, it } from '@jest/globals';
import type { Job, JobBody } from '../ports/job-queue.ts';
import { FakeExecutor, type FakeFunction } from '../testing/fake-executor.ts';
import { FakeInstaller } from '../testing/fake-installer.ts';
import { RecordingLog } from '../testing/recording-log.ts';
import { ExecuteRequest } from './execute-request.ts';
import { InstallDependencies } from './install-dependencies.ts';
import { InstallMissingModule } from './install-missing-module.ts';
import { NoVolumeCache } from './no-volume-cache.ts';
import { RunFunctionJob } from './run-function-job.ts';
import { RunHandlerJob, type RunHandlerJobDependencies } from './run-handler-job.ts';

const parse = (json: Uint8Array | undefined): unknown => json && JSON.parse(new TextDecoder().decode(json));

function job(body: JobBody): Job {
  return {
    id: 'j1',
    body,
    bytes: new TextEncoder().encode(JSON.stringify(body)),
    stop: new AbortController().signal,
  };
}

describe('RunFunctionJob', () => {
  const executor = new FakeExecutor({
    double: ({ args, progress }) => {
      progress('half way');
      return Number(args[0]) * 2;
    },
  });
  const runner = new RunFunctionJob(
    new ExecuteRequest({
      executor,
      installDependencies: new InstallDependencies({
        python: new FakeInstaller(),
        system: new FakeInstaller(),
        volumeCache: new NoVolumeCache(),
      }),
      volumeCache: new NoVolumeCache(),
      log: new RecordingLog(),
      maxLoggedOutputBytes: 1000,
    }),
  );
  const request = { function_name: 'double', function_code: '…', serialization_format: 'json', args: [4] };

  it('reports the FunctionResponse as the output, and shows progress', async () => {
    const progress: unknown[] = [];
    const { outputJson, error } = await runner.run(job({ input: request }), {
      onProgress: (json) => progress.push(parse(json)),
    });
    expect([parse(outputJson), error, progress]).toEqual([
      expect.objectContaining({ success: true, json_result: 8 }),
      undefined,
      ['half way'],
    ]);
    expect(parse(outputJson)).not.toHaveProperty('error');
  });

  it('reports a job that Python could not read', async () => {
    const given = job({ input: request });
    const bytes = new TextEncoder().encode(`{"input":${'['.repeat(5000)}`);
    const outcome = await runner.run({ ...given, bytes });
    expect(outcome).toEqual({
      error: expect.stringMatching(/^INVALID_REQUEST: .*nested/),
      isWorkerFault: false,
    });
  });

  it('lifts the error of a failed function out of its response', async () => {
    const outcome = await runner.run(job({ input: { ...request, function_name: 'none' } }));
    expect(outcome.error).toContain("'none' not found");
    expect(outcome.isWorkerFault).toBeUndefined();
    expect(parse(outcome.outputJson)).toMatchObject({ success: false });
  });

  it.each([
    ['no input', {}],
    ['text as input', { input: 'text' }],
    ['a list as input', { input: [] }],
    ['a wrong field', { input: { function_name: 3 } }],
  ])('answers %s with an error that is the client’s', async (_, body) => {
    expect(await runner.run(job(body))).toEqual({
      error: expect.stringMatching(/^INVALID_REQUEST: /),
      isWorkerFault: false,
    });
  });

  it('tells failures of the worker apart', async () => {
    const closed = new FakeExecutor({});
    await closed.close();
    const broken = new RunFunctionJob(
      new ExecuteRequest({
        executor: closed,
        installDependencies: new InstallDependencies({
          python: new FakeInstaller(),
          system: new FakeInstaller(),
          volumeCache: new NoVolumeCache(),
        }),
        volumeCache: new NoVolumeCache(),
        log: new RecordingLog(),
        maxLoggedOutputBytes: 1000,
      }),
    );
    expect(await broken.run(job({ input: request }))).toMatchObject({ isWorkerFault: true });
  });
});

describe('RunHandlerJob', () => {
  const runner = (
    handler: FakeFunction,
    parts: Partial<RunHandlerJobDependencies> = {},
    python: FakeInstaller = new FakeInstaller(),
  ) => {
    const executor = new FakeExecutor({ '/app/handler.py': handler });
    const installDependencies = new InstallDependencies({
      python,
      system: new FakeInstaller(),
      volumeCache: new NoVolumeCache(),
    });
    return new RunHandlerJob({
      executor,
      installMissingModule: new InstallMissingModule(installDependencies, executor),
      log: new RecordingLog(),
      file: '/app/handler.py',
      identity: { hostname: 'h', workerId: 'w', version: '1' },
      maxLoggedOutputBytes: 1000,
      aggregateStream: false,
      ...parts,
    });
  };

  /** A handler whose file can't be loaded before these are installed, one after the other. */
  const wanting =
    (python: FakeInstaller, ...modules: string[]): FakeFunction =>
    () => {
      const missingModule = modules.find((name) => !python.installed.has(name));
      if (missingModule === undefined) return 'loaded';
      const message = `No module named '${missingModule}'`;
      const failure = { type: "<class 'ModuleNotFoundError'>", message, traceback: '', missingModule };
      return { end: 'raised', output: '', error: message, failure };
    };

  it('installs what loading the handler wants for, and shows it', async () => {
    const python = new FakeInstaller();
    const seen: string[] = [];
    const outcome = await runner(wanting(python, 'a', 'b', 'c'), {}, python).run(job({ input: 1 }), {
      onEvent: (event) => seen.push(event.kind === 'system' ? event.line : event.text),
    });
    expect(parse(outcome.outputJson)).toBe('loaded');
    expect(python.calls.map(({ packages }) => packages[0])).toEqual(['a', 'b', 'c']);
    expect(seen).toContain('installed b');
  });

  it('installs three packages at most, once each, and says so', async () => {
    const python = new FakeInstaller();
    const one = runner(wanting(python, 'a', 'b', 'c', 'd'), {}, python);
    for (let count = 0; count < 2; count++) {
      const { error } = await one.run(job({ input: 1 }));
      expect(JSON.parse(error ?? '').error_message).toMatch(
        /'d'.*3 packages were installed for it already \(a, b, c\)/,
      );
    }
    expect(python.calls).toHaveLength(3);
  });

  it('gives up when a package is installed and its module is missing all the same', async () => {
    const python = new FakeInstaller();
    const failure = { type: 't', message: "No module named 'cv2'", traceback: '', missingModule: 'cv2' };
    const outcome = await runner(() => ({ end: 'raised', output: '', error: 'e', failure }), {}, python).run(
      job({ input: 1 }),
    );
    expect(JSON.parse(outcome.error ?? '').error_message).toBe("No module named 'cv2'");
    expect(python.calls).toHaveLength(1);
  });

  it('reports why a module could not be installed', async () => {
    const python = new FakeInstaller();
    python.unknown.add('cv2');
    const { error } = await runner(wanting(python, 'cv2'), {}, python).run(job({ input: 1 }));
    expect(JSON.parse(error ?? '').error_message).toBe(
      "No module named 'cv2'; it could not be installed: cv2 was not found",
    );
  });

  it('hands over the output, what was said beside it, and nothing when there is nothing', async () => {
    const said = { isStream: false, refreshWorker: true, error: 'no luck' };
    const outcome = await runner(() => ({ end: 'returned', output: '', handler: said })).run(
      job({ input: 1 }),
    );
    expect(outcome).toEqual({
      outputJson: undefined,
      error: 'no luck',
      isStream: false,
      refreshWorker: true,
    });
    expect(parse((await runner(() => [1, 2]).run(job({ input: 1 }))).outputJson)).toEqual([1, 2]);
  });

  it('reports an exception with all that the platform wants to know', async () => {
    const failure = { type: "<class 'ValueError'>", message: 'no', traceback: 'Traceback…' };
    const { error } = await runner(() => ({ end: 'raised', output: '', error: 'no', failure })).run(
      job({ input: 1 }),
    );
    expect(JSON.parse(error ?? '')).toEqual({
      error_type: "<class 'ValueError'>",
      error_message: 'no',
      error_traceback: 'Traceback…',
      hostname: 'h',
      worker_id: 'w',
      runpod_version: '1',
    });
  });

  it.each([
    [false, []],
    [true, ['a', 'b']],
  ])('passes chunks on; with aggregation %s the output is %j', async (aggregateStream, output) => {
    const chunks: unknown[] = [];
    const handler: FakeFunction = async ({ chunk }) => {
      for (const value of ['a', 'b']) await chunk(value);
      return { end: 'returned', output: '', handler: { isStream: true, refreshWorker: false } };
    };
    const outcome = await runner(handler, { aggregateStream }).run(job({ input: 1 }), {
      onChunk: async (json) => void chunks.push(parse(json)),
    });
    expect([chunks, outcome.isStream, parse(outcome.outputJson)]).toEqual([['a', 'b'], true, output]);
  });

  it('says that a job has no input', async () => {
    expect((await runner(() => 1).run(job({}))).error).toContain('no input');
  });
});
