import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { isRunning, isTagRunning, processTag, readIdentity, thisProcess, withLock } from '../src/index.ts';

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const own = thisProcess();

describe('a process', () => {
  let child: ChildProcess;
  beforeEach(() => {
    child = spawn('sleep', ['60']);
  });
  afterEach(() => void child.kill('SIGKILL'));
  const startOf = (pid: number): string | undefined =>
    readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19];

  it('runs until it has ended', async () => {
    const pid = child.pid as number;
    const identity = { ...own, pid, startedAt: startOf(pid) };
    expect([isRunning(own), isRunning(identity)]).toEqual([true, true]);
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('close', resolve));
    expect(isRunning(identity)).toBe(false);
  });

  it('is not another one that was given the same id later', () => {
    const pid = child.pid as number;
    expect(isRunning({ ...own, pid, startedAt: String(Number(startOf(pid)) - 1) })).toBe(false);
    expect(isRunning({ ...own, startedAt: '1' })).toBe(false);
  });

  it('of another container or machine can’t be told from here', () => {
    expect(isRunning({ ...own, pidNamespace: 'pid:[1]' })).toBeUndefined();
    expect(isRunning({ ...own, bootId: 'another' })).toBeUndefined();
    expect(isTagRunning(processTag().replace(/.{8}$/, '00000000'))).toBeUndefined();
  });

  it('has a tag for the names of files', () => {
    expect(isTagRunning(processTag())).toBe(true);
    expect(isTagRunning(processTag().replace(/-\d+-/, '-77-'))).toBe(false);
  });

  it('is read from what another process has written', () => {
    expect(readIdentity(JSON.stringify(own))).toEqual(own);
    for (const text of ['', '{', '17', 'null', '{"pid":"1"}']) expect(readIdentity(text)).toBeUndefined();
  });
});

describe('withLock', () => {
  let directory: string;
  let path: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'flash-test-'));
    path = join(directory, 'lock');
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('lets one at a time work, and leaves nothing behind', async () => {
    let atWork = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++atWork);
      await wait(5);
      atWork--;
    };
    await Promise.all(Array.from({ length: 8 }, () => withLock(path, 100_000, work)));
    expect([most, readdirSync(directory)]).toEqual([1, []]);
  });

  it.each([
    ['of a process that has ended', { ...own, pid: 4_194_303, startedAt: '5' }],
    ['of one whose id is another’s now', { ...own, startedAt: '5' }],
  ])('is not held up by a lock %s', async (_, identity) => {
    writeFileSync(path, JSON.stringify(identity));
    // It would be waited for: one of which nothing is seen is taken for dead after 10 s only.
    expect(await withLock(path, 8000, async () => 'done')).toBe('done');
  });

  it('waits for one of another machine as long as that shows that it lives', async () => {
    const identity = JSON.stringify({ ...own, bootId: 'another' });
    writeFileSync(path, identity);
    const alive = setInterval(() => utimesSync(path, new Date(), new Date()), 100);
    await expect(withLock(path, 800, async () => {})).rejects.toThrow(/for over 800 ms .*another.*stuck/);
    clearInterval(alive);
    expect(readFileSync(path, 'utf8')).toBe(identity);
    expect(await withLock(path, 100_000, async () => 'then')).toBe('then');
  });
});
