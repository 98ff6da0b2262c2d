import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';
import { Gate } from './gate.ts';

const python = (code: string) => promisify(execFile)('python3', ['-c', code]);

it.each([{ isBusy: false }, { isBusy: true }])(
  'a gate holds Python until it is opened: %j',
  async (options) => {
    const gate = new Gate(options);
    let hasEnded = false;
    const held = [1, 2].map(() => python(`${gate.wait}; print("on")`));
    void Promise.any(held).then(() => {
      hasEnded = true;
    });
    await gate.come(2);
    expect(hasEnded).toBe(false);
    gate.open();
    expect((await Promise.all(held)).map(({ stdout }) => stdout)).toEqual(['on\n', 'on\n']);
    expect((await python(`${gate.wait}; print("late")`)).stdout).toBe('late\n');
  },
);
