import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const source = (relative: string): string => readFileSync(path(relative), 'utf8');
const apps = ['lb-app', 'qb-app', 'gateway'];

describe('an older Node', () => {
  let directory: string;
  let preload: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'flash-test-'));
    preload = join(directory, 'older.cjs');
    const older = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '22.21.1' } });`;
    writeFileSync(preload, older);
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  it.each(apps)('is told which one %s needs', async (app) => {
    const main = path(`../../../apps/${app}/src/main.ts`);
    const failure = await promisify(execFile)(process.execPath, [
      ...['--require', preload, '--conditions=source', main],
    ]).catch((error: { code: number; stdout: string; stderr: string }) => error);
    expect(failure).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^flash-worker needs Node 24 or newer, and \S+ is Node 22\.21\.1: .*\n$/),
    });
  });

  it.each(apps)('can load what looks at its version in %s: it imports that alone', (app) => {
    const imports = source(`../../../apps/${app}/src/main.ts`).match(/^import .*$/gm);
    expect(imports).toEqual(["import { isNodeRecentEnough } from '@flash/worker-host/node-version';"]);
  });

  it('knows its syntax, and every name in it', () => {
    const text = source('../src/node-version.ts').replace(/\/\*\*.*?\*\//s, '');
    // What came after ES2015 with modules: optional chaining, defaults for null, private names, async functions, imports of Node's own.
    expect(text).not.toMatch(/\?\.|\?\?|#\w|\basync\b|\bimport\b|\*\*|`/);
  });
});
