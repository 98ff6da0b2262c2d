import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { jobQueueContract, type QueueUnderTest } from '@flash/worker-core/testing';
import { DirectoryQueue } from './directory-queue.ts';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const python = process.env.FLASH_PYTHON ?? path('../../.venv/bin/python');

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'flash-test-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function found(...names: string[]): Promise<string> {
  for (;;) {
    const text = await readFile(join(directory, ...names), 'utf8').catch(() => undefined);
    if (text !== undefined) return text;
    await pause(10);
  }
}

async function queueUnderTest(): Promise<QueueUnderTest> {
  let number = 0;
  await mkdir(join(directory, 'jobs'), { recursive: true });
  return {
    queue: new DirectoryQueue({ directory, lookMs: 10 }),
    submit: async (input, more) => {
      const id = `job-${number++}`;
      // As whole files only, which is what the queue asks of who submits.
      await writeFile(join(directory, id), JSON.stringify({ ...more, input }));
      await rename(join(directory, id), join(directory, 'jobs', `${id}.json`));
      return {
        id,
        result: async () =>
          JSON.parse(await found('results', `${id}.json`)) as { output?: unknown; error?: string },
        chunks: async () =>
          (await found('results', `${id}.chunks`))
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line) as unknown),
        stop: () => writeFile(join(directory, 'stop', id), ''),
      };
    },
    close: async () => {},
  };
}

describe('DirectoryQueue as a JobQueue', () => {
  for (const { name, run } of jobQueueContract(queueUnderTest)) it(name, run);
});

describe('a worker on a directory', () => {
  it('runs what is put there, says what is wrong with what is no job, and ends when asked', async () => {
    mkdirSync(join(directory, 'jobs'));
    const request = readFileSync(path('../requests/function.json'), 'utf8');
    writeFileSync(join(directory, 'jobs/good.json'), request);
    writeFileSync(join(directory, 'jobs/bad.json'), '[1]');
    const host = spawn(process.execPath, ['--conditions=source', path('./host.ts'), directory], {
      env: { ...process.env, FLASH_PYTHON: python },
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => host.once('close', resolve));
    expect(JSON.parse(await found('results', 'good.json'))).toMatchObject({ output: { success: true } });
    expect(JSON.parse(await found('results', 'bad.json'))).toEqual({
      error: expect.stringContaining('not a JSON object'),
    });
    host.kill('SIGTERM');
    expect(await ended).toBe(0);
  });
});
