import { existsSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { until } from '../../../scripts/lib/until.ts';
import { abandon, type HeadStart, startAhead } from '../src/zygote/head-start.ts';
import { Bridge, returned, testPython } from './bridge.ts';

function begin(settings: NodeJS.ProcessEnv = {}): HeadStart {
  const headStart = startAhead(testPython, process.env, settings);
  if (headStart === undefined) throw new Error('nothing was started');
  return headStart;
}

it('a runner that reported before the executor listened serves, and nothing is left of it', async () => {
  const headStart = begin();
  await until(() => headStart.early.length >= 2);
  expect(headStart.early).toHaveLength(2);
  const bridge = new Bridge({}, process.env, testPython, headStart);
  await bridge.executor.start();
  const parent = 'import os\ndef f(): return os.getppid()';
  expect(returned(await bridge.run(parent))).toBe(headStart.zygote.pid);
  await bridge.close();
  expect([headStart.zygote.exitCode, existsSync(headStart.directory)]).toEqual([0, false]);
});

it('what was started for nothing is ended', async () => {
  const headStart = begin();
  const ended = new Promise((resolve) => headStart.zygote.once('close', resolve));
  abandon(headStart);
  await ended;
  expect([headStart.server.listening, existsSync(headStart.directory)]).toEqual([false, false]);
});

it('a zygote that died meanwhile is replaced', async () => {
  const headStart = begin();
  const ended = new Promise((resolve) => headStart.zygote.once('close', resolve));
  headStart.zygote.kill('SIGKILL');
  await ended;
  const bridge = new Bridge({}, process.env, testPython, headStart);
  expect(returned(await bridge.run('def f(): return 1'))).toBe(1);
  await bridge.close();
});

it('nothing is started with a setting that is wrong', () => {
  expect(startAhead(testPython, process.env, { FLASH_MAX_RESPONSE_BYTES: 'much' })).toBeUndefined();
});
