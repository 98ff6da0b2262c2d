import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { InstallError, SecretRedactor } from '@flash/worker-core';
import { installerContract } from '@flash/worker-core/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '../../../scripts/lib/until.ts';
import { PythonPackageInstaller } from '../src/adapters.ts';
import { pythonPackagesSettingsSchema } from '../src/index.ts';

const venv = fileURLToPath(new URL('../../../.venv/bin', import.meta.url));
const uv = join(venv, 'uv');
const run = promisify(execFile);
let root: string;
let environments = 0;

/** Made from the base interpreter with pip inside: a throw-away copy of what an image has. */
async function freshPython(): Promise<string> {
  const directory = join(root, `env-${environments++}`);
  await run(uv, ['venv', '--quiet', '--seed', '--python', join(venv, 'python'), directory]);
  return join(directory, 'bin', 'python');
}

function installerFor(
  python: string,
  settings: object = {},
  env: NodeJS.ProcessEnv = process.env,
): PythonPackageInstaller {
  return new PythonPackageInstaller({
    python,
    env,
    settings: pythonPackagesSettingsSchema.parse({ FLASH_UV: uv, ...settings }),
    redactor: new SecretRedactor(['very-secret-token']),
  });
}

async function imported(python: string, code: string): Promise<string> {
  return (await run(python, ['-c', code])).stdout.trim();
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'flash-test-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe('PythonPackageInstaller keeps the contract of Installer', () => {
  const packages = {
    wanted: 'six',
    unknown: 'this-package-does-not-exist-flash',
    contradicting: ['toolz==0.12.0', 'toolz==1.0.0'] as const,
    refused: '--index-url=x',
  };
  for (const { name, run: check } of installerContract(
    async () => installerFor(await freshPython()),
    packages,
  ))
    it(name, check);
});

describe('PythonPackageInstaller', () => {
  it.each([
    ['uv', true],
    ['pip', false],
  ])('installs with %s, line by line', async (tool, accelerate) => {
    const python = await freshPython();
    const lines: string[] = [];
    const changes = await installerFor(python).install(['iniconfig==2.0.0', 'six'], {
      accelerate,
      onLine: (line) => lines.push(line),
    });
    expect(changes.map(({ name }) => name).toSorted()).toEqual(['iniconfig', 'six']);
    expect(await imported(python, 'import six, iniconfig; print("both")')).toBe('both');
    expect(lines.join('\n')).toContain(tool === 'uv' ? ' + iniconfig==2.0.0' : 'Successfully installed');
  });

  it('tells what was replaced, with its import names', async () => {
    const python = await freshPython();
    await run(uv, ['pip', 'install', '--quiet', '--python', python, 'six==1.16.0']);
    const installer = installerFor(python);
    expect(await installer.missing(['six==1.17.0'])).toEqual(['six==1.17.0']);
    expect(await installer.install(['six==1.17.0'], { accelerate: true })).toEqual([
      { name: 'six', version: '1.17.0', previousVersion: '1.16.0', replacedModules: ['six'] },
    ]);
  });

  it.each([true, false])(
    'names a package that does not exist, and why (accelerated: %s)',
    async (accelerate) => {
      const failed = installerFor(await freshPython()).install(['flash-no-such-package'], { accelerate });
      await expect(failed).rejects.toMatchObject({
        failure: 'NOT_FOUND',
        message: expect.stringContaining('flash-no-such-package'),
      });
    },
  );

  it('builds an sdist with a compiler, and says so when there is none', async () => {
    const source = await nativePackage(join(root, 'native'));
    const python = await freshPython();
    const tools = join(root, 'tools');
    await mkdir(tools);
    for (const tool of ['sh', 'env', 'rm', 'mkdir'])
      await symlink((await run('which', [tool])).stdout.trim(), join(tools, tool));
    const requirement = `flashnative @ file://${source}`;
    const withoutCompiler = installerFor(python, {}, { ...process.env, PATH: tools });
    await expect(withoutCompiler.install([requirement], { accelerate: true })).rejects.toMatchObject({
      failure: 'COMPILER_MISSING',
    });
    await installerFor(python).install([requirement], { accelerate: true });
    await writeFile(join(source, 'native.c'), 'this is no C');
    await expect(
      installerFor(await freshPython()).install([`other @ file://${source}`], { accelerate: true }),
    ).rejects.toMatchObject({ failure: 'FAILED' });
    expect(await imported(python, 'import flashnative; print(flashnative.answer())')).toBe('42');
  });

  it('kills an installer that takes too long, with all its children', async () => {
    const slow = join(root, 'slow-uv');
    const sleeps = `sleep 987${process.pid}`;
    await writeFile(slow, `#!/bin/sh\necho started\n${sleeps} &\n${sleeps}\n`);
    await chmod(slow, 0o755);
    const installer = installerFor(await freshPython(), { FLASH_UV: slow, FLASH_INSTALL_TIMEOUT_MS: 1500 });
    const error = await installer.install(['six'], { accelerate: true }).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(InstallError);
    expect(error).toMatchObject({
      failure: 'TIMED_OUT',
      message: expect.stringContaining('FLASH_INSTALL_TIMEOUT_MS'),
    });
    const isGone = (): Promise<boolean> =>
      run('pgrep', ['-f', sleeps]).then(
        () => false,
        ({ code }: { code: number }) => code === 1,
      );
    await until(isGone);
  });

  it('keeps secrets out of lines and errors', async () => {
    const leaky = join(root, 'leaky-uv');
    await writeFile(
      leaky,
      '#!/bin/sh\necho index https://user:pass@index.example/ very-secret-token\nexit 1\n',
    );
    await chmod(leaky, 0o755);
    const lines: string[] = [];
    const failed = installerFor(await freshPython(), { FLASH_UV: leaky }).install(['six'], {
      accelerate: true,
      onLine: (line) => lines.push(line),
    });
    const { message } = (await failed.catch((error: unknown) => error)) as Error;
    for (const text of [message, lines.join()]) {
      expect(text).toContain('[redacted]');
      expect(text).not.toMatch(/very-secret-token|pass@/);
    }
  });
});

/** A source distribution with one extension module in C, and setuptools beside it so that nothing else is fetched. */
async function nativePackage(directory: string): Promise<string> {
  await mkdir(directory, { recursive: true });
  await writeFile(
    join(directory, 'pyproject.toml'),
    '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n[project]\nname = "flashnative"\nversion = "1.0"\n',
  );
  await writeFile(
    join(directory, 'setup.py'),
    'from setuptools import Extension, setup\nsetup(ext_modules=[Extension("flashnative", ["native.c"])])\n',
  );
  await writeFile(
    join(directory, 'native.c'),
    '#define PY_SSIZE_T_CLEAN\n#include <Python.h>\nstatic PyObject *answer(PyObject *s, PyObject *a) { return PyLong_FromLong(42); }\nstatic PyMethodDef m[] = {{"answer", answer, METH_NOARGS, ""}, {0}};\nstatic struct PyModuleDef d = {PyModuleDef_HEAD_INIT, "flashnative", 0, -1, m};\nPyMODINIT_FUNC PyInit_flashnative(void) { return PyModule_Create(&d); }\n',
  );
  return directory;
}
