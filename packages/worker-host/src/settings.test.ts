import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { findPython } from './find-python.ts';
import { readSettings, workerSettingsSchema } from './settings.ts';
import { userEnvironment } from './user-environment.ts';

describe('readSettings', () => {
  it('has defaults, and takes an empty variable as absent', () => {
    const settings = readSettings(workerSettingsSchema, { FLASH_MAX_RUNNERS: '', LOG_LEVEL: 'warning' });
    expect(settings).toMatchObject({ FLASH_MAX_RUNNERS: 8, FLASH_CANCEL_GRACE_MS: 2000, LOG_LEVEL: 'warn' });
    expect(Object.isFrozen(settings)).toBe(true);
  });

  it.each([
    ['FLASH_MAX_RUNNERS', '0'],
    ['FLASH_MAX_WAITING', 'many'],
    ['FLASH_EXECUTION_TIMEOUT_MS', '-1'],
    ['FLASH_PYTHON_VERSION', '3'],
    ['RUNPOD_LOG_LEVEL', 'loud'],
  ])('refuses %s=%s, naming it', (name, value) => {
    expect(() => readSettings(workerSettingsSchema, { [name]: value })).toThrow(
      expect.objectContaining({ code: 'SETTINGS', message: expect.stringContaining(name) }),
    );
  });
});

describe('findPython', () => {
  let root: string;
  const make = (...parts: string[]): string => {
    const file = join(root, ...parts);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, '');
    return file;
  };
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'flash-test-'));
  });
  afterAll(() => rmSync(root, { recursive: true }));

  it('takes what is configured, the active environment, the nearest .venv, the path, in that order', () => {
    const onPath = make('bin', 'python3');
    const env = { PATH: join(root, 'bin') };
    const nested = join(root, 'project', 'deep');
    expect(findPython(undefined, env, nested)).toBe(onPath);
    const near = make('project', '.venv', 'bin', 'python');
    expect(findPython(undefined, env, nested)).toBe(near);
    const active = make('active', 'bin', 'python');
    expect(findPython(undefined, { ...env, VIRTUAL_ENV: join(root, 'active') }, nested)).toBe(active);
    expect(findPython(onPath, env, nested)).toBe(onPath);
  });

  it('says what to do when there is none', () => {
    expect(() => findPython(undefined, {}, join(root, 'empty'))).toThrow('set FLASH_PYTHON');
    expect(() => findPython('/nowhere', {}, root)).toThrow('FLASH_PYTHON is /nowhere');
  });
});

it('userEnvironment leaves out the worker’s own secrets and webhooks', () => {
  const env = {
    RUNPOD_AI_API_KEY: 'a',
    RUNPOD_WEBHOOK_PING: 'b',
    RUNPOD_WEBHOOK_GET_JOB: 'c',
    RUNPOD_API_KEY: 'd',
    HOME: 'e',
  };
  expect(userEnvironment(env)).toEqual({ RUNPOD_API_KEY: 'd', HOME: 'e' });
});
