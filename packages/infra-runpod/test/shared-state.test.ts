import { execFile } from 'node:child_process';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { thisProcess } from '@flash/process-lock';
import { describe, expect, it } from '@jest/globals';
import { until } from '../../../scripts/lib/until.ts';
import { eachInItsSetting, type Opened, type Platform, type Setting, status } from './platform.ts';

const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A result file of some process's outbox. */
function resultFile(jobId: string): { name: string; content: string } {
  const body = JSON.stringify({ output: jobId });
  const header = JSON.stringify({ jobId, isStream: false, bodyBytes: body.length, number: 7 });
  return { name: `000000000007-${jobId}.result`, content: `${header}\n${body}` };
}

describe('processes with one worker id and one state directory', () => {
  let setting: Setting;
  let platform: Platform;
  eachInItsSetting((its) => {
    setting = its;
    platform = its.platform;
  });
  const finish = async (opened: Opened, id: string): Promise<void> =>
    opened.queue.finish(await setting.take(opened, id), { outputJson: json(id) });
  const outputs = (): unknown[] => platform.results.map(({ output }) => output).sort();

  it('each keep their own results, and warn', async () => {
    platform.answers.done = status(503);
    const first = await setting.open({ workerId: 'twin' });
    const { stateDirectory } = first;
    await finish(first, 'one');
    const second = await setting.open({ workerId: 'twin', stateDirectory });
    for (const id of ['two', 'three']) await finish(second, id);
    for (const id of ['four', 'five']) await finish(first, id);
    platform.calls.length = 0;
    platform.answers.done = status(200, {});
    await until(() => platform.of('job-done').length >= 5);
    await wait(100);
    expect(outputs()).toEqual(['five', 'four', 'one', 'three', 'two']);
    expect([...first.log.messages, ...second.log.messages]).not.toContainEqual(
      expect.stringMatching(/could not be kept|can’t be read/),
    );
    expect(second.log.messages).toContain(
      'another process has the same RUNPOD_POD_ID and FLASH_STATE_DIR: each keeps its own results',
    );
  });

  it('find what one that was killed has left, at once', async () => {
    const { stateDirectory } = await setting.open({ workerId: 'killed' });
    const child = fileURLToPath(new URL('./leave-result.ts', import.meta.url));
    await promisify(execFile)(process.execPath, [
      '--conditions=source',
      child,
      stateDirectory,
      'killed',
    ]).catch(({ signal }: { signal: string }) => expect(signal).toBe('SIGKILL'));
    await setting.open({ workerId: 'killed', stateDirectory });
    await until(() => outputs().includes('left'));
  });

  it('have those of another machine when nothing was seen of it for a lease, not before', async () => {
    const one = await setting.open({ workerId: 'far', FLASH_STATE_LEASE_MS: '3000' });
    const folder = join(one.stateDirectory, 'worker-far', 'elsewhere');
    await mkdir(folder);
    const owner = join(folder, 'owner.json');
    await writeFile(owner, JSON.stringify({ ...thisProcess(), pid: 1, bootId: 'of another machine' }));
    const { name, content } = resultFile('remote');
    await writeFile(join(folder, name), content);
    // Its clock is an hour late: only whether the file changes counts.
    const late = Date.now() / 1000 - 3600;
    for (let beat = 0; beat < 16; beat++) {
      await utimes(owner, late + beat, late + beat);
      await wait(250);
    }
    expect(outputs()).toEqual([]);
    await until(() => outputs().includes('remote'));
    await until(() => one.log.messages.length > 0);
    expect(await readdir(join(one.stateDirectory, 'worker-far'))).not.toContain('elsewhere');
  });

  it('of whom one was taken for dead goes on with a new folder', async () => {
    const one = await setting.open({ workerId: 'slept' });
    const directory = join(one.stateDirectory, 'worker-slept');
    const [own] = await readdir(directory);
    // As another process does it.
    const { rm } = await import('node:fs/promises');
    await rm(join(directory, own as string), { recursive: true });
    platform.answers.done = status(500);
    await finish(one, 'awake');
    expect(one.log.messages).not.toContain('a result could not be kept on disk (FLASH_STATE_DIR)');
    const stored = await readdir(directory, { recursive: true });
    expect(stored.filter((file) => file.endsWith('.result'))).toHaveLength(1);
    platform.answers.done = status(200, {});
  });

  it('find what a version without folders has left', async () => {
    const { stateDirectory } = await setting.open({ workerId: 'other' });
    await mkdir(join(stateDirectory, 'worker-old'), { recursive: true });
    const { name, content } = resultFile('ancient');
    await writeFile(join(stateDirectory, 'worker-old', name), content);
    await setting.open({ workerId: 'old', stateDirectory });
    await until(() => outputs().includes('ancient'));
  });
});
