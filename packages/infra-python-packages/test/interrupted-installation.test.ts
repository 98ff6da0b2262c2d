import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SecretRedactor } from '@flash/worker-core';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { PythonPackageInstaller } from '../src/adapters.ts';
import { pythonPackagesSettingsSchema } from '../src/index.ts';

const venv = fileURLToPath(new URL('../../../.venv/bin', import.meta.url));
const makeWheel = fileURLToPath(new URL('make_wheel.py', import.meta.url));
const uv = join(venv, 'uv');
const run = promisify(execFile);
let root: string;
let python: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'flash-interrupted-'));
  python = join(root, 'python/bin/python');
  for (const version of ['1.0', '2.0'])
    await run(join(venv, 'python'), [makeWheel, join(root, 'wheels'), 'bridge-pier', version]);
  await run(join(venv, 'python'), [makeWheel, join(root, 'wheels'), 'rivet', '1.0']);
  await run(uv, ['venv', '--quiet', '--python', join(venv, 'python'), join(root, 'python')]);
  await writeFile(join(root, 'uv.toml'), `no-index = true\nfind-links = ["${root}/wheels"]\n`);
});
afterEach(() => rm(root, { recursive: true }));

/** A uv that does `script` instead, while there is a file that says so; `$site` is where packages are. */
async function breakable(script: string): Promise<{ uv: string; broken: string }> {
  const [path, broken] = [join(root, 'uv'), join(root, 'broken')];
  const lines = [
    '#!/bin/sh',
    `if [ ! -e ${broken} ]; then exec ${uv} "$@"; fi`,
    `site=$(echo ${root}/python/lib/python3*/site-packages)`,
    script,
  ];
  await writeFile(path, `${lines.join('\n')}\n`);
  await chmod(path, 0o755);
  return { uv: path, broken };
}

function installer(tool: string, settings: object = {}): PythonPackageInstaller {
  return new PythonPackageInstaller({
    python,
    env: { ...process.env, UV_CONFIG_FILE: join(root, 'uv.toml') },
    settings: pythonPackagesSettingsSchema.parse({
      FLASH_UV: tool,
      FLASH_CACHE_DIR: join(root, 'cache'),
      ...settings,
    }),
    redactor: new SecretRedactor([]),
  });
}

/** What the module of a package says its version is. */
async function version(module: string): Promise<string> {
  return (await run(python, ['-c', `import ${module}; print(${module}.version)`])).stdout.trim();
}

it('a promised package that a tool had removed before it failed comes back with the next installation', async () => {
  const { uv: tool, broken } = await breakable(
    'rm -r $site/bridge_pier* && echo "No space left on device" && exit 2',
  );
  const lines: string[] = [];
  const options = { accelerate: true, onLine: (line: string) => void lines.push(line) };
  const worker = installer(tool);
  await worker.install(['bridge-pier<2'], options);
  await writeFile(broken, '');
  await expect(worker.install(['rivet'], options)).rejects.toThrow('No space left');
  await rm(broken);
  await worker.install(['rivet'], options);
  expect(await version('bridge_pier')).toBe('1.0');
  expect(lines.join('\n')).not.toContain('something other than this worker');
});

it('a package that a tool was killed over does not count as installed', async () => {
  const { uv: tool, broken } = await breakable(
    [
      'mkdir $site/bridge_pier-2.0.dist-info',
      'printf "Metadata-Version: 2.1\\nName: bridge-pier\\nVersion: 2.0\\n" > $site/bridge_pier-2.0.dist-info/METADATA',
      'printf "bridge_pier.py,,\\n" > $site/bridge_pier-2.0.dist-info/RECORD',
      'sleep 60',
    ].join('\n'),
  );
  const worker = installer(tool, { FLASH_INSTALL_TIMEOUT_MS: '1500' });
  await writeFile(broken, '');
  await expect(worker.install(['bridge-pier'], { accelerate: true })).rejects.toThrow('took longer than');
  await rm(broken);
  expect(await worker.missing(['bridge-pier'])).toEqual(['bridge-pier']);
  await installer(uv).install(['bridge-pier'], { accelerate: true });
  expect(await version('bridge_pier')).toBe('2.0');
});
