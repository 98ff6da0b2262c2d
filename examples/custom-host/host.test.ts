import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const python = process.env.FLASH_PYTHON ?? path('../../.venv/bin/python');

it('runs requests from stdin, in a host of under 80 lines with a port of its own', async () => {
  expect(readFileSync(path('./host.ts'), 'utf8').split('\n').length).toBeLessThan(80);
  const host = spawn(process.execPath, ['--conditions=source', path('./host.ts')], {
    env: { ...process.env, FLASH_PYTHON: python },
  });
  let [stdout, stderr] = ['', ''];
  host.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  host.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const request = {
    function_name: 'f',
    function_code: 'def f(x):\n print("seen", x)\n return x',
    serialization_format: 'json',
  };
  host.stdin.end(
    `${JSON.stringify({ ...request, args: [1] })}\nnot json\n${JSON.stringify({ ...request, args: [2] })}\n`,
  );
  expect(await new Promise((resolve) => host.once('close', resolve))).toBe(0);
  const answers = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { success: boolean; json_result?: number; code?: string });
  expect(answers.map(({ json_result, code }) => json_result ?? code).toSorted()).toEqual([
    1,
    2,
    'INVALID_REQUEST',
  ]);
  expect(stderr).toContain('[line-1] seen 1');
  expect(stderr).toMatch(/log lines: .*"info":2/);
});
