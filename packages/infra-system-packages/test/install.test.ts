import { execFile, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SecretRedactor } from '@flash/worker-core';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SystemPackageInstaller, systemPackagesSettingsSchema } from '../src/index.ts';

const run = promisify(execFile);
let root: string;

function installerFor(
  options: {
    env?: NodeJS.ProcessEnv;
    settings?: object;
    stateDirectory?: string;
    platform?: NodeJS.Platform;
  } = {},
): SystemPackageInstaller {
  const { settings = {}, ...others } = options;
  return new SystemPackageInstaller({
    env: process.env,
    redactor: new SecretRedactor([]),
    settings: systemPackagesSettingsSchema.parse({
      FLASH_CACHE_DIR: join(root, 'cache-of-tests'),
      ...settings,
    }),
    ...others,
  });
}

async function tool(directory: string, name: string, script: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(directory, name), 0o755);
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'flash-test-'));
  await mkdir(join(root, 'state/dpkg'), { recursive: true });
  await mkdir(join(root, 'state/apt/lists/partial'), { recursive: true });
  await writeFile(join(root, 'state/apt/lists/x_InRelease'), '');
  await writeFile(
    join(root, 'state/dpkg/status'),
    [
      'Package: jq\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.6-2.1',
      'Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1',
      'Package: mawk\nStatus: install ok installed\nArchitecture: amd64\nProvides: awk, awkish (= 3)\nVersion: 2',
    ].join('\n\n'),
  );
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** An apt-get that would remove and replace what these lines say. */
async function aptGet(directory: string, ...plan: string[]): Promise<void> {
  const lines = plan.map((line) => `echo "${line}"`).join('; ');
  await tool(directory, 'apt-get', `if [ "$1" = --simulate ]; then ${lines}; else echo installed "$@"; fi`);
}

describe('what was asked for', () => {
  const state = (): string => join(root, 'state');
  const refused = async (directory: string, installed: string[], wanted: string[]): Promise<string> => {
    const lines: string[] = [];
    const installer = installerFor({
      env: { PATH: `${directory}:${process.env.PATH}` },
      stateDirectory: state(),
    });
    installer.promise(installed);
    const error = await installer
      .install(wanted, { accelerate: true, onLine: (line) => lines.push(line) })
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ failure: 'CONFLICT' });
    expect(lines.filter((line) => line.startsWith('installed'))).toEqual([]);
    return (error as Error).message;
  };

  it('is one version of a package: of one request, and of two', async () => {
    const bin = join(root, 'two-versions');
    await aptGet(bin);
    expect(await refused(bin, [], ['tree=1', 'tree=2'])).toContain('tree=1 and tree=2');
    expect(await refused(bin, [], ['jq=1.6-2.1', 'jq=1.7'])).toContain("jq=1.6-2.1 and jq=1.7 can't both");
    expect(await refused(bin, ['jq=1.6-2.1'], ['jq=1.7'])).toContain('jq=1.7 and jq=1.6-2.1');
  });

  it('is neither removed nor replaced for what another request asks for', async () => {
    const bin = join(root, 'in-the-way');
    await aptGet(
      bin,
      'Remv mawk [2]',
      ...Array.from({ length: 300 }, (_, at) => `Inst other-${at} (1 Debian:13 [amd64])`),
      'Inst jq [1.6-2.1] (1.7 Debian:13 [amd64])',
      'Inst gawk (5 Debian:13 [amd64])',
    );
    expect(await refused(bin, ['mawk'], ['gawk'])).toContain(
      "gawk can't be installed: mawk would be removed",
    );
    expect(await refused(bin, [], ['mawk', 'gawk'])).toContain('mawk would be removed');
    expect(await refused(bin, ['jq=1.6-2.1'], ['gawk'])).toContain('jq=1.6-2.1 would be replaced by 1.7');
    // A package that was asked for by its name alone may get another version, and one that is not installed any more is not kept.
    const installer = installerFor({ env: { PATH: `${bin}:${process.env.PATH}` }, stateDirectory: state() });
    installer.promise(['jq', 'gone']);
    await installer.install(['gawk'], { accelerate: true });
  });
});

describe('missing', () => {
  it.each([
    ['jq', true],
    ['jq=1.6-2.1', true],
    ['jq=1.7', false],
    ['jq:amd64', true],
    ['jq:arm64', false],
    ['gone', false],
    ['awk', true],
    ['awkish=3', true],
    ['absent', false],
  ])('%s is installed: %s', async (name, installed) => {
    expect(await installerFor({ stateDirectory: join(root, 'state') }).missing([name])).toEqual(
      installed ? [] : [name],
    );
  });

  it.each(['-y', '--option', 'jq-', 'a b', 'jq\n-y', '', '$(id)', 'JQ', 'jq/testing'])(
    'refuses %j',
    async (name) => {
      await expect(installerFor().missing([name])).rejects.toMatchObject({ failure: 'INVALID_SPECIFIER' });
    },
  );
});

describe('install with stand-ins for the tools', () => {
  const state = (): string => join(root, 'state');

  it('takes nala for large packages, and apt-get when downloads are not to be accelerated', async () => {
    const bin = join(root, 'both');
    await tool(bin, 'nala', 'echo nala "$@"');
    await tool(bin, 'apt-get', 'echo apt-get "$@" $DEBIAN_FRONTEND');
    const lines: string[] = [];
    const installer = installerFor({ env: { PATH: `${bin}:${process.env.PATH}` }, stateDirectory: state() });
    await installer.install(['ffmpeg'], { accelerate: true, onLine: (line) => lines.push(line) });
    await installer.install(['ffmpeg'], { accelerate: false, onLine: (line) => lines.push(line) });
    await installer.install(['tree'], { accelerate: true, onLine: (line) => lines.push(line) });
    expect(lines.map((line) => line.split(' ')[0])).toEqual(['nala', 'apt-get', 'apt-get']);
    expect(lines[1]).toMatch(/^apt-get install -y --no-install-recommends .*ffmpeg noninteractive/);
  });

  it('updates the lists once when a package is unknown, and tries again', async () => {
    const bin = join(root, 'stale');
    await tool(
      bin,
      'apt-get',
      `if [ "$1" = update ]; then touch ${root}/updated; elif [ ! -e ${root}/updated ]; then echo "E: Unable to locate package tree"; exit 100; fi; echo "$1"`,
    );
    const lines: string[] = [];
    await installerFor({ env: { PATH: `${bin}:${process.env.PATH}` }, stateDirectory: state() }).install(
      ['tree'],
      { accelerate: true, onLine: (line) => lines.push(line) },
    );
    expect(lines).toEqual([
      'E: Unable to locate package tree',
      'Updating the package lists',
      'update',
      'install',
    ]);
  });

  it('waits while another process holds the lock', async () => {
    const bin = join(root, 'locked');
    await tool(
      bin,
      'apt-get',
      `if mkdir ${root}/first 2>/dev/null; then echo "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1"; exit 100; fi; echo done`,
    );
    const lines: string[] = [];
    await installerFor({ env: { PATH: `${bin}:${process.env.PATH}` }, stateDirectory: state() }).install(
      ['tree'],
      { accelerate: true, onLine: (line) => lines.push(line) },
    );
    expect(lines).toEqual(['Another process is using apt: waiting for it', 'done']);
  });

  it('says that root is needed, and does not wait for a lock that it may not take', async () => {
    const bin = join(root, 'unprivileged');
    await tool(
      bin,
      'apt-get',
      [
        'echo "E: Could not open lock file /var/lib/dpkg/lock-frontend - open (13: Permission denied)"',
        'echo "E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), are you root?"',
        'exit 100',
      ].join('\n'),
    );
    await expect(
      installerFor({ env: { PATH: `${bin}:${process.env.PATH}` }, stateDirectory: state() }).install(
        ['tree'],
        {
          accelerate: true,
        },
      ),
    ).rejects.toThrow('needs root');
  });

  it('skips system packages where there is no Debian, with a warning', async () => {
    const lines: string[] = [];
    const installer = installerFor({ platform: 'darwin' });
    expect(await installer.missing(['tree'])).toEqual(['tree']);
    await installer.install(['tree'], { accelerate: true, onLine: (line) => lines.push(line) });
    expect(lines).toEqual([expect.stringContaining('skipped')]);
  });

  it('kills a tool that takes too long', async () => {
    const bin = join(root, 'slow');
    await tool(bin, 'apt-get', 'sleep 1000');
    const installer = installerFor({
      env: { PATH: `${bin}:${process.env.PATH}` },
      settings: { FLASH_INSTALL_TIMEOUT_MS: 200 },
      stateDirectory: state(),
    });
    await expect(installer.install(['tree'], { accelerate: true })).rejects.toMatchObject({
      failure: 'TIMED_OUT',
    });
  });
});

const isDebianRoot = process.platform === 'linux' && process.getuid?.() === 0;
// The whole path on the machine itself: only where apt may be used, as in a container or in CI.
(isDebianRoot ? describe : describe.skip)('install with the real apt-get (needs root on Debian)', () => {
  const name = 'hello';
  const remove = () => run('dpkg', ['--purge', name]).catch(() => undefined);
  beforeAll(remove);
  afterAll(remove);

  it('installs a small package while another process holds the lock for a moment', async () => {
    const installer = installerFor();
    expect(await installer.missing([name])).toEqual([name]);
    const script =
      'import fcntl, time; f = open("/var/lib/dpkg/lock-frontend", "w"); fcntl.lockf(f, fcntl.LOCK_EX); print("held", flush=True); time.sleep(600)';
    const holder = spawn('python3', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    const lines: string[] = [];
    // The lock is held until the installer says that it waits.
    const waiting = 'Another process is using apt: waiting for it';
    const onLine = (line: string): void => {
      lines.push(line);
      if (line === waiting) holder.kill('SIGKILL');
    };
    await installer.install([name], { accelerate: true, onLine });
    expect(lines).toContain(waiting);
    expect(await installer.missing([name])).toEqual([]);
    expect((await run(name)).stdout).toContain('Hello');
  }, 300_000);

  it('keeps what it downloads in the cache: another machine with the same cache downloads nothing', async () => {
    await remove();
    const settings = { FLASH_CACHE_DIR: join(root, 'cache') };
    await installerFor({ settings }).install([name], { accelerate: true });
    const kept = await readdir(join(root, 'cache/apt/archives'));
    expect(kept.filter((file) => file.startsWith(`${name}_`) && file.endsWith('.deb'))).toHaveLength(1);
    await remove();
    const nowhere = 'http://127.0.0.1:9';
    const env = { ...process.env, http_proxy: nowhere, https_proxy: nowhere };
    await installerFor({ settings, env }).install([name], { accelerate: true });
    expect((await run(name)).stdout).toContain('Hello');
  }, 300_000);

  it('refuses what would take the place of a package that an earlier request asked for', async () => {
    const installer = installerFor();
    await installer.install([name], { accelerate: true });
    // Debian says that the two conflict.
    const error = await installer
      .install(['hello-traditional'], { accelerate: true })
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      failure: 'CONFLICT',
      message: expect.stringContaining('hello would be removed'),
    });
    expect(await installer.missing([name])).toEqual([]);
  }, 300_000);

  it('names a package that does not exist', async () => {
    await expect(
      installerFor().install(['flash-no-such-package'], { accelerate: false }),
    ).rejects.toMatchObject({
      failure: 'NOT_FOUND',
      message: expect.stringContaining('flash-no-such-package'),
    });
  }, 300_000);
});
