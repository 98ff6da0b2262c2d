import { execFile, execFileSync, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { processTag } from '@flash/process-lock';
import { RecordingLog } from '@flash/worker-core/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { appArtifactSettingsSchema, TarAppArtifact } from '../src/index.ts';

const python =
  process.env.FLASH_PYTHON ?? fileURLToPath(new URL('../../../.venv/bin/python', import.meta.url));
const program = ['--conditions=source', fileURLToPath(new URL('./unpack-once.ts', import.meta.url))];
const signal = new AbortController().signal;
let base: string;
let app: string;
let artifact: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'flash-test-'));
  app = join(base, 'app');
  artifact = join(base, 'artifact.tar.gz');
});
afterEach(() => rmSync(base, { recursive: true }));

/** Packs an app of so many files. */
function build(version: string, files = 3, compression = '-z'): void {
  const source = join(base, 'source');
  rmSync(source, { recursive: true, force: true });
  mkdirSync(join(source, 'pkg'), { recursive: true });
  for (let index = 0; index < files; index++)
    writeFileSync(join(source, 'pkg', `f${index}`), `${version} ${index}`);
  writeFileSync(join(source, 'version'), version);
  execFileSync('tar', ['-c', compression, '-f', artifact, '-C', source, '.']);
}

function source(
  settings: Record<string, string> = {},
  appDirectory = app,
): { source: TarAppArtifact; log: RecordingLog } {
  const log = new RecordingLog();
  return {
    log,
    source: new TarAppArtifact({
      appDirectory,
      log,
      python: () => ({ python, env: process.env }),
      settings: appArtifactSettingsSchema.parse({
        FLASH_BUILD_ARTIFACT_PATH: artifact,
        FLASH_UNPACK_INTERVAL_MS: '10',
        ...settings,
      }),
    }),
  };
}

function version(directory = app): string {
  return readFileSync(join(directory, 'version'), 'utf8');
}

/** Everything that stands beside the app and is not of this test. */
function leftovers(): string[] {
  return readdirSync(base).filter((name) => !['app', 'artifact.tar.gz', 'source'].includes(name));
}

describe('TarAppArtifact', () => {
  it('unpacks into a directory that is not there yet, or is empty, and leaves nothing beside it', async () => {
    build('one');
    await source().source.prepare(signal);
    expect(version()).toBe('one');
    const empty = join(base, 'app', '..', 'source', 'empty');
    mkdirSync(empty);
    await source({}, empty).source.prepare(signal);
    expect([version(empty), leftovers()]).toEqual(['one', []]);
  });

  it('does it once; a new artifact replaces the old app whole', async () => {
    build('one');
    await source().source.prepare(signal);
    writeFileSync(join(app, 'written-by-the-app'), 'kept');
    const { source: again, log } = source();
    await again.prepare(signal);
    expect(log.messages).toEqual(['the app is unpacked already']);
    expect(existsSync(join(app, 'written-by-the-app'))).toBe(true);
    build('two', 1);
    utimesSync(artifact, 1, 1);
    await source().source.prepare(signal);
    expect([version(), readdirSync(join(app, 'pkg')), existsSync(join(app, 'written-by-the-app'))]).toEqual([
      'two',
      ['f0'],
      false,
    ]);
  });

  it.each(['-j', '-J', '--zstd', '--format=ustar'])(
    'unpacks what tar %s has made, whatever its name',
    async (form) => {
      build(form, 4, form);
      await source().source.prepare(signal);
      expect([version(), readdirSync(join(app, 'pkg')).length, leftovers()]).toEqual([form, 4, []]);
    },
  );

  it.each([
    [{ FLASH_ARTIFACT_MAX_BYTES: '5000' }, 'FLASH_ARTIFACT_MAX_BYTES'],
    [{ FLASH_ARTIFACT_MAX_MEMORY_BYTES: '100000' }, 'FLASH_ARTIFACT_MAX_MEMORY_BYTES'],
  ])('names the setting that a larger artifact needs: %j', async (settings, name) => {
    build('large', 30, '-J');
    await expect(source({ FLASH_UNPACK_ATTEMPTS: '1', ...settings }).source.prepare(signal)).rejects.toThrow(
      `build a smaller one, or raise ${name}`,
    );
  });

  it('removes what processes that are gone have left, also where this one has their id, and what runs keeps its own', async () => {
    build('one');
    const [pid, , where] = processTag().split('-');
    const [gone, here, elsewhere] = [`${pid}-7-${where}`, processTag(), `${pid}-7-00000000`].map((tag) =>
      join(base, `.app-staging-${tag}-0123abcd`),
    ) as [string, string, string];
    for (const directory of [gone, here, elsewhere]) mkdirSync(directory);
    await source().source.prepare(signal);
    expect([gone, here, elsewhere].map((directory) => existsSync(directory))).toEqual([false, true, true]);
  });

  it('tries again, and sleeps after no attempt that was the last', async () => {
    const { source: one, log } = source({ FLASH_UNPACK_ATTEMPTS: '3', FLASH_UNPACK_INTERVAL_MS: '10' });
    await expect(one.prepare(signal)).rejects.toMatchObject({
      code: 'APP',
      message: expect.stringContaining('there is no such file'),
    });
    expect(log.events.map(({ fields }) => fields.attempt)).toEqual([1, 2, 3]);
    // One that sleeps after it outlasts this test.
    const once = source({ FLASH_UNPACK_ATTEMPTS: '1', FLASH_UNPACK_INTERVAL_MS: '600000' });
    await expect(once.source.prepare(signal)).rejects.toMatchObject({ code: 'APP' });
    const late = source({ FLASH_UNPACK_ATTEMPTS: '1000' });
    setTimeout(() => build('late'), 60);
    await late.source.prepare(signal);
    expect(version()).toBe('late');
  });

  it('keeps the old app when the new artifact is no good', async () => {
    build('one');
    await source().source.prepare(signal);
    writeFileSync(artifact, readFileSync(artifact).subarray(0, 100));
    await expect(source({ FLASH_UNPACK_ATTEMPTS: '1' }).source.prepare(signal)).rejects.toMatchObject({
      code: 'APP',
    });
    expect([version(), leftovers()]).toEqual(['one', []]);
  });

  it('does nothing when it is turned off, and stops when it is aborted', async () => {
    for (const value of ['1', 'true', 'yes'])
      await source({ FLASH_DISABLE_UNPACK: value }).source.prepare(signal);
    expect(existsSync(app)).toBe(false);
    const stop = new AbortController();
    const preparing = source({ FLASH_UNPACK_INTERVAL_MS: '60000' }).source.prepare(stop.signal);
    setTimeout(() => stop.abort(new Error('enough')), 50);
    await expect(preparing).rejects.toThrow('enough');
  });

  it('fills a directory that can’t be renamed, as a process’s own working directory or a mount', async () => {
    build('one');
    mkdirSync(app);
    const { stdout } = await promisify(execFile)(process.execPath, [...program, artifact, app], { cwd: app });
    expect(stdout).toBe('ready one');
    expect(readdirSync(app).sort()).toEqual(['.flash-artifact.json', 'pkg', 'version']);
  });

  it('is done by many processes at once, and each finds the whole app', async () => {
    build('one', 500);
    const run = () => promisify(execFile)(process.execPath, [...program, artifact, app]);
    const all = await Promise.all(Array.from({ length: 6 }, run));
    expect(all.map(({ stdout }) => stdout)).toEqual(Array(6).fill('ready one'));
    expect([readdirSync(join(app, 'pkg')).length, leftovers()]).toEqual([500, []]);
  });

  it('never shows half an app, killed 20 times at random points', async () => {
    build('one', 2000);
    let readies = 0;
    for (let round = 0; round < 20; round++) {
      const isNew = round % 5 === 4;
      if (isNew) build(`version ${round}`, 2000);
      const child = spawn(process.execPath, [...program, artifact, app], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      let said = '';
      child.stdout.on('data', (text) => {
        said += text;
      });
      const exited = new Promise((resolve) => child.once('close', resolve));
      setTimeout(() => child.kill('SIGKILL'), 300 + Math.random() * 1200);
      await exited;
      if (said !== '') readies++;
      // Whatever is in place is whole, and of one version.
      if (!existsSync(app)) continue;
      const here = version();
      const files = readdirSync(join(app, 'pkg'));
      expect(files).toHaveLength(2000);
      expect(files.every((name) => readFileSync(join(app, 'pkg', name), 'utf8').startsWith(`${here} `))).toBe(
        true,
      );
    }
    const { stdout } = await promisify(execFile)(process.execPath, [...program, artifact, app]);
    expect(stdout).toBe('ready version 19');
    expect(leftovers()).toEqual([]);
    process.stderr.write(`${readies} of 20 came to their end before they were killed\n`);
    expect(readies).toBeLessThan(20);
  });
});
