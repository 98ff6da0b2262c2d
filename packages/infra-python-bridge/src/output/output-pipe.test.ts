import { execFileSync } from 'node:child_process';
import { mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { OutputPipe } from './output-pipe.ts';

describe('OutputPipe', () => {
  const endMark = Buffer.from('\nMARK');
  let directory: string;
  let writer: number;
  let pipe: OutputPipe;
  let seen: string[];
  const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'flash-test-'));
    const path = join(directory, 'pipe');
    execFileSync('mkfifo', [path]);
    writer = openSync(path, 'r+');
    seen = [];
    pipe = new OutputPipe(path, endMark, {
      onBytes: (bytes) => seen.push(bytes.toString()),
      onEndMark: () => seen.push('<end>'),
    });
  });
  afterEach(() => {
    pipe.close();
    rmSync(directory, { recursive: true });
  });

  it('finds marks anywhere, also in pieces', async () => {
    writeSync(writer, 'one\nMARKtwo\nMA');
    await turn();
    expect(seen).toEqual(['one', '<end>', 'two']);
    writeSync(writer, 'RKthree');
    await turn();
    expect(seen).toEqual(['one', '<end>', 'two', '<end>', 'three']);
  });

  it('hands over what only looked like a mark, at the latest when it is flushed', async () => {
    writeSync(writer, 'line\n');
    await turn();
    expect(seen).toEqual(['line']);
    pipe.flush();
    expect(seen).toEqual(['line', '\n']);
    writeSync(writer, '\nMAybe');
    await turn();
    expect(seen.join('')).toBe('line\n\nMAybe');
  });
});
