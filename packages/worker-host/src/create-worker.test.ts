import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FitnessCheck, functionCallFrom, type Job, ports, UnfitError } from '@flash/worker-core';
import { FakeExecutor, RecordingLog } from '@flash/worker-core/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ContainerModule } from 'inversify';
import { createWorker, readSettings, type Worker, workerSettingsSchema } from './index.ts';
import { missingWebAppMessage } from './web-app.ts';

const job: Job = {
  id: 'j',
  body: { input: 1 },
  bytes: Buffer.from('{}'),
  stop: new AbortController().signal,
};
let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'flash-test-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

function worker(
  env: Record<string, string> = {},
  checks: FitnessCheck[] = [],
): { worker: Worker; log: RecordingLog } {
  const log = new RecordingLog();
  const module = new ContainerModule(({ bind }) => {
    bind(ports.Log).toConstantValue(log);
    bind(ports.Executor).toConstantValue(new FakeExecutor({}));
    for (const check of checks) bind(ports.FitnessCheck).toConstantValue(check);
  });
  return {
    worker: createWorker({ env: { FLASH_PYTHON: process.execPath, ...env }, modules: [module] }),
    log,
  };
}

function file(name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

describe('createWorker', () => {
  it('asks the fitness checks of the host beside its own', async () => {
    const failing = {
      name: 'licence',
      check: () => Promise.reject(new UnfitError('licence', 'it has run out')),
    };
    expect(await worker({}, [failing]).worker.checkFitness()).toMatchObject({ check: 'licence' });
    const passing = { name: 'licence', check: async () => {} };
    const short = { FLASH_MIN_MEMORY_BYTES: '1000000000000000' };
    expect(await worker(short, [passing]).worker.checkFitness()).toMatchObject({ check: 'memory' });
    expect(
      await worker({ ...short, RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: 'true' }, [passing]).worker.checkFitness(),
    ).toBeUndefined();
  });

  it('serves the handler of its resource where there is one, else FunctionRequests', async () => {
    file('handler_gpu.py', '');
    const app = { FLASH_APP_DIR: directory };
    const answer = async (env: Record<string, string>): Promise<string | undefined> =>
      (await worker(env).worker.jobRunner.run(job)).error;
    // The fake executor has no such handler, and so says its file's name.
    expect(await answer({ ...app, FLASH_RESOURCE_NAME: 'gpu' })).toContain('handler_gpu.py');
    expect(await answer(app)).toContain('INVALID_REQUEST');
  });

  it('names the handler that its resource lacks, and serves FunctionRequests all the same', async () => {
    file('handler_audio.py', '');
    const run = async (input: unknown, env: Record<string, string>): Promise<string> => {
      const body = { id: 'j', input };
      const { error = '' } = await worker({ FLASH_RESOURCE_NAME: 'vision', ...env }).worker.jobRunner.run({
        ...job,
        body,
        bytes: Buffer.from(JSON.stringify(body)),
      });
      return error;
    };
    const app = { FLASH_APP_DIR: directory };
    expect(await run({ image: 'x.png' }, app)).toMatch(
      /no handler_vision\.py in .*\(FLASH_APP_DIR\), only .*handler_audio\.py.*: deploy/,
    );
    expect(await run([1], { FLASH_APP_DIR: '/does/not/exist' })).toMatch(
      /"vision.*\/does\/not\/exist with its handler_vision\.py does not exist: deploy the app, or set FLASH_APP_DIR/,
    );
    expect(await run({ function_name: 'f' }, app)).toMatch(
      /no .*flash_manifest\.json \(FLASH_MANIFEST_PATH\)/,
    );
  });

  it('says which module of the manifest is missing when a call of it fails', async () => {
    const FLASH_MANIFEST_PATH = file(
      'modules.json',
      JSON.stringify({
        version: '1',
        function_registry: { here: 'r', gone: 'r' },
        resources: {
          r: {
            resource_type: 'x',
            functions: [
              { name: 'here', module: 'handler_audio' },
              { name: 'gone', module: 'pipeline.steps' },
            ],
          },
        },
      }),
    );
    file('handler_audio.py', '');
    const env = { FLASH_MANIFEST_PATH, FLASH_APP_DIR: directory };
    const error = async (name: string): Promise<string | null> => {
      const call = functionCallFrom({ function_name: name });
      return (await worker(env).worker.executeRequest.execute(call, { requestId: 'r' })).error;
    };
    expect(await error('gone')).toMatch(
      /\nThe manifest .* pipeline\.steps, and there is neither pipeline\/steps\.py nor pipeline\/steps\/ in .*FLASH_APP_DIR/,
    );
    expect(await error('here')).not.toContain('manifest');
  });

  it.each([
    [{}, /^there is no main\.py in \/no\/app \(FLASH_APP_DIR, FLASH_MAIN_FILE\): deploy/],
    [{ FLASH_MAIN_FILE: 'site/web.py' }, /^there is no web\.py in \/no\/app\/site /],
    [{ FLASH_RESOURCE_NAME: 'web' }, /handler_web\.py does not exist.*; nor is there a main\.py, or set/],
  ])('names the file of a web app that is missing: %j', (env, message) => {
    const settings = readSettings(workerSettingsSchema, { FLASH_APP_DIR: '/no/app', ...env });
    expect(missingWebAppMessage(settings)).toMatch(message);
  });

  it('answers every job with the reason when the app can’t be had, or ends, as it was set', async () => {
    const env = {
      RUNPOD_ENDPOINT_ID: 'ep',
      RUNPOD_POD_ID: 'pod',
      FLASH_RESOURCE_NAME: 'gpu',
      FLASH_APP_DIR: join(directory, 'app'),
      FLASH_BUILD_ARTIFACT_PATH: join(directory, 'no-artifact'),
      FLASH_UNPACK_ATTEMPTS: '1',
    };
    const { worker: made } = worker(env);
    await made.start();
    expect(made.bootFailure?.message).toContain('no-artifact');
    const { error } = await made.jobRunner.run(job);
    expect(JSON.parse(error ?? '')).toMatchObject({
      error_type: 'AppError',
      error_message: expect.stringMatching(/no-artifact.*FLASH_BUILD_ARTIFACT_PATH/),
      worker_id: 'pod',
    });
    await expect(worker({ ...env, FLASH_BOOT_FAILURE: 'exit' }).worker.start()).rejects.toMatchObject({
      code: 'APP',
    });
    const disabled = worker({ ...env, FLASH_DISABLE_UNPACK: 'yes' }).worker;
    await disabled.start();
    expect(disabled.bootFailure).toBeUndefined();
    const elsewhere = worker({ ...env, RUNPOD_ENDPOINT_ID: '' }).worker;
    await elsewhere.start();
    expect(elsewhere.bootFailure).toBeUndefined();
  });

  it.each(['../evil', '/etc/evil', 'a/../../b', '.\0.'])('refuses the resource %j', (FLASH_RESOURCE_NAME) => {
    expect(() => worker({ FLASH_APP_DIR: directory, FLASH_RESOURCE_NAME })).toThrow(
      expect.objectContaining({ code: 'SETTINGS' }),
    );
  });

  it('has as many jobs in flight as was set, as the manifest says, or one', async () => {
    const concurrency = async (env?: Record<string, string>): Promise<number> => {
      const { worker: made } = worker(env);
      await made.start();
      return made.concurrency;
    };
    const resources = { gpu: { resource_type: 'x', max_concurrency: 5 } };
    const FLASH_MANIFEST_PATH = file('manifest.json', JSON.stringify({ version: '1', resources }));
    const gpu = { FLASH_MANIFEST_PATH, FLASH_RESOURCE_NAME: 'gpu', FLASH_APP_DIR: directory };
    expect(await concurrency(gpu)).toBe(5);
    expect(await concurrency({ ...gpu, FLASH_CONCURRENCY: '2' })).toBe(2);
    expect(await concurrency({ ...gpu, FLASH_RESOURCE_NAME: 'cpu' })).toBe(1);
    expect(await concurrency()).toBe(1);
  });

  it.each(['{', '{"resources": 3}'])('says that it can’t read the manifest %j, and goes on', async (text) => {
    const FLASH_MANIFEST_PATH = file('broken.json', text);
    const { worker: made, log } = worker({ FLASH_MANIFEST_PATH, FLASH_RESOURCE_NAME: 'gpu' });
    await made.start();
    expect(made.concurrency).toBe(1);
    expect(log.messages).toContain('the manifest can’t be read: one job at a time');
  });

  it('knows who it is', () => {
    expect(worker({ RUNPOD_POD_ID: 'pod', RUNPOD_POD_HOSTNAME: 'host' }).worker.identity).toMatchObject({
      workerId: 'pod',
      hostname: 'host',
    });
    expect(worker().worker.identity.workerId).toMatch(/^[0-9a-f-]{36}$/);
  });
});
