import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { until } from '../../../scripts/lib/until.ts';
import { LineSplitter } from './line-splitter.ts';
import { runCommand } from './run-command.ts';

const env = { PATH: process.env.PATH };

describe('runCommand', () => {
  it('hands over lines of both streams, and the exit code', async () => {
    const lines: string[] = [];
    const script = 'echo one; echo two >&2; printf three; exit 4';
    const result = await runCommand('sh', ['-c', script], {
      env,
      timeoutMs: 60_000,
      onLine: (line) => lines.push(line),
    });
    expect(result).toEqual({ end: 'exited', exitCode: 4, output: lines.join('\n') });
    expect(lines.toSorted()).toEqual(['one', 'three', 'two']);
  });

  it('gives the command the environment it was told, and nothing else', async () => {
    process.env.FLASH_TEST_LEAK = 'leaked';
    const { output } = await runCommand('sh', ['-c', 'echo "$ONLY-$FLASH_TEST_LEAK"'], {
      env: { ...env, ONLY: 'this' },
      timeoutMs: 60_000,
    });
    delete process.env.FLASH_TEST_LEAK;
    expect(output).toBe('this-');
  });

  it('ends a command with its children, also when they ignore the first signal', async () => {
    // It would end by itself after this test's own time-out.
    const script = 'trap "" TERM; sleep 654 & echo $!; wait; sleep 654';
    const result = await runCommand('sh', ['-c', script], { env, timeoutMs: 2000 });
    expect(result.end).toBe('timed-out');
    expect(result.output).toMatch(/^\d+$/);
    await until(() => !isRunning(result.output));
  });

  it('ends a command when its signal aborts, and starts none after', async () => {
    const given = { env, timeoutMs: 60_000, signal: AbortSignal.timeout(100) };
    expect((await runCommand('sleep', ['600'], given)).end).toBe('cancelled');
    expect((await runCommand('sleep', ['600'], given)).end).toBe('cancelled');
  });

  it('says when there is no such command', async () => {
    const result = await runCommand('no-such-command', [], { env, timeoutMs: 60_000 });
    expect(result).toEqual({ end: 'not-started', output: expect.stringContaining('no-such-command') });
  });
});

/** A process that ended but was not waited for by its new parent counts as ended. */
function isRunning(pid: string): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

describe('LineSplitter', () => {
  it('cuts at line ends of all kinds, drops empty lines, and bounds a line', () => {
    const lines: string[] = [];
    const splitter = new LineSplitter((line) => lines.push(line));
    for (const piece of ['a\r', '\nb\r10%\r20%\n\n', 'c'.repeat(20_000)]) splitter.push(Buffer.from(piece));
    splitter.end();
    expect(lines.map((line) => line.slice(0, 3) + line.length)).toEqual([
      'a1',
      'b1',
      '10%3',
      '20%3',
      ...Array(5).fill('ccc4000'),
    ]);
  });
});
