import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { AppError, SettingsError, WorkerStartError } from '@flash/worker-core';
import { RecordingLog } from '@flash/worker-core/testing';
import { describe, expect, it } from '@jest/globals';
import { explainStartFailure } from '../src/explain-start-failure.ts';
import { emergencyLog, readSettings, workerSettingsSchema, writeFatal } from '../src/index.ts';
import { describeSystemError } from '../src/system-error.ts';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const job =
  '{"input":{"function_name":"f","function_code":"def f(): return 1","serialization_format":"json"}}';

/** Runs an app to its end. Resolves with its last line of log. */
async function lastLine(
  app: string,
  args: string[],
  env: Record<string, string>,
  before = '',
): Promise<string> {
  const python = process.env.FLASH_PYTHON ?? path('../../../.venv/bin/python');
  const program = [
    process.execPath,
    '--conditions=source',
    path(`../../../apps/${app}/src/main.ts`),
    ...args,
  ];
  const { code, stderr } = (await promisify(execFile)(
    'bash',
    ['-c', `${before} exec "$0" "$@"`, ...program],
    { env: { ...process.env, FLASH_PYTHON: python, HOST: '127.0.0.1', PORT: '0', ...env }, timeout: 50_000 },
  ).catch((error: unknown) => error)) as { code: number; stderr: string };
  expect(code).toBe(1);
  const { msg, err } = JSON.parse(stderr.trim().split('\n').at(-1) ?? '') as { msg: string; err?: unknown };
  expect(err).toBeUndefined();
  return msg;
}

describe('a start that fails', () => {
  it.each(['qb-app', 'lb-app'])(
    'of %s says that its temporary directory can’t be written to',
    async (app) => {
      // It is no directory, which holds for an administrator too.
      expect(await lastLine(app, ['--test_input', job], { TMPDIR: '/dev/null' })).toMatch(
        /can't start: the temporary directory \/dev\/null can't be written to .*set TMPDIR to a directory that can/,
      );
    },
  );

  it.each([
    ['qb-app', 26],
    ['qb-app', 23],
    ['lb-app', 24],
  ])(
    'of %s says that a process may open no more than %d files, when those are too few',
    async (app, most) => {
      expect(await lastLine(app, ['--test_input', job], {}, `ulimit -n ${most};`)).toMatch(
        new RegExp(`a process may open ${most} files here \\(ulimit -n\\).*raise the limit`),
      );
    },
  );

  it.each([
    ['qb-app', 'TMPDIR'],
    ['lb-app', 'HOME'],
    ['qb-app', 'FLASH_CACHE_DIR'],
    ['lb-app', 'FLASH_VOLUME_DIR'],
  ])(
    'of %s ends when its %s is in /proc, where Node would try to make directories for ever',
    async (app, name) => {
      expect(await lastLine(app, ['--test_input', job], { [name]: '/proc/sys/none' })).toMatch(
        /_DIR: \/proc\/sys\/none\S* is in \/proc, where no directory can be made|temporary directory \/proc\/sys\/none can't be written to/,
      );
    },
  );

  it('says that inodes or space are short', async () => {
    const explain = async (env: Record<string, string>) =>
      (await explainStartFailure(
        new WorkerStartError('a runner ended'),
        readSettings(workerSettingsSchema, env),
      )) as Error;
    expect((await explain({ FLASH_MIN_TMP_FILES: '1000000000000' })).message).toMatch(/inodes: df -i/);
    expect((await explain({ FLASH_MIN_TMP_BYTES: '1000000000000000' })).message).toMatch(
      /FLASH_MIN_TMP_BYTES/,
    );
    expect((await explain({})).message).toBe('a runner ended');
  });

  it('leaves what says itself what it is', async () => {
    const settings = readSettings(workerSettingsSchema, { FLASH_MIN_TMP_FILES: '1000000000000' });
    for (const error of [new AppError('the app'), new SettingsError('a setting')])
      expect(await explainStartFailure(error, settings)).toBe(error);
  });

  it('names the port that is in use', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const port = String((taken.address() as AddressInfo).port);
    try {
      for (const [app, args] of [
        ['lb-app', []],
        ['gateway', ['--port', port]],
        ['qb-app', ['--rp_serve_api', '--rp_api_host', '127.0.0.1', '--rp_api_port', port]],
      ] as const)
        expect(await lastLine(app, [...args], { PORT: port })).toMatch(
          new RegExp(`127\\.0\\.0\\.1:${port}: the port is in use`),
        );
    } finally {
      taken.close();
    }
  });
});

describe('an error of the system', () => {
  it.each([
    [{ code: 'EMFILE', syscall: 'open' }, /ulimit -n.*raise the limit/],
    [{ code: 'ENOSPC', syscall: 'write' }, /df -i/],
    [{ code: 'EACCES', syscall: 'listen' }, /from 1024 on/],
    [{ code: 'EACCES', syscall: 'open' }, /the right to it/],
    [{ code: 'EAGAIN', syscall: 'fork' }, /ulimit -u/],
  ])('%j is one sentence with what to do', (fields, sentence) => {
    const error = Object.assign(new Error(`${fields.code}: no, ${fields.syscall} '/x'`), fields);
    expect(describeSystemError(error)).toMatch(new RegExp(`^${fields.code}: no, .*${sentence.source}`));
    const log = new RecordingLog();
    writeFatal(log, error);
    expect(log.events).toMatchObject([{ message: describeSystemError(error), fields: { code: 'SYSTEM' } }]);
    expect(log.events[0]?.fields).not.toHaveProperty('error');
  });

  it('is nothing that a program of ours throws', () => {
    for (const error of [new TypeError('x'), new WorkerStartError('y'), 'text', undefined])
      expect(describeSystemError(error)).toBeUndefined();
  });
});

describe('emergencyLog', () => {
  it('takes each setting that can be used, whatever the others are', () => {
    for (const env of [{ RUNPOD_LOG_LEVEL: 'LOUD', LOG_LEVEL: 'ERROR' }, { LOG_LEVEL: '' }, {}])
      expect(() => emergencyLog(env).write('debug', 'not shown')).not.toThrow();
  });
});
