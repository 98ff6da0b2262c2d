import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { InstallError, SecretRedactor } from '@flash/worker-core';
import { RecordingLog } from '@flash/worker-core/testing';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { PythonPackageInstaller } from '../src/adapters.ts';
import { pythonPackagesSettingsSchema } from '../src/index.ts';

const venv = fileURLToPath(new URL('../../../.venv/bin', import.meta.url));
const makeWheel = fileURLToPath(new URL('make_wheel.py', import.meta.url));
const uv = join(venv, 'uv');
const run = promisify(execFile);
// pip takes seconds for each of its steps when the machine is busy.
jest.setTimeout(300_000);

let root: string;
/** A directory of wheels that takes the place of the index. */
let wheels: string;
let pythons = 0;

async function wheel(name: string, version: string, ...options: string[]): Promise<string> {
  return (await run(join(venv, 'python'), [makeWheel, wheels, name, version, ...options])).stdout.trim();
}

/** An interpreter with packages that an image has; with pip when `pip` is one of them. */
async function freshPython(...packages: string[]): Promise<string> {
  const directory = join(root, `python-${pythons++}`);
  const seed = packages[0] === 'pip' ? ['--seed'] : [];
  await run(uv, ['venv', '--quiet', ...seed, '--python', join(venv, 'python'), directory]);
  const python = join(directory, 'bin/python');
  const others = packages.filter((name) => name !== 'pip');
  if (others.length > 0) await pipInstall(python, ...others);
  return python;
}

/** What an image's build, or user code, installs: the worker has no part in it. */
async function pipInstall(python: string, ...packages: string[]): Promise<void> {
  await run(uv, ['pip', 'install', '--quiet', '--python', python, ...packages], { env: offline() });
}

function offline(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    UV_CONFIG_FILE: join(root, 'uv.toml'),
    PIP_FIND_LINKS: wheels,
    PIP_NO_INDEX: '1',
  };
}

interface Shared {
  readonly python: string;
  readonly lines: string[];
  readonly log: RecordingLog;
  readonly installer: PythonPackageInstaller;
  /** What a request does: looks what is missing, and has the whole set installed if something is. */
  request(...requirements: string[]): Promise<void>;
  /** The version of a package that Python imports. */
  version(module: string): Promise<string>;
}

function shared(
  python: string,
  {
    accelerate = true,
    settings = {},
    env = offline(),
  }: { accelerate?: boolean; settings?: object; env?: object } = {},
): Shared {
  const log = new RecordingLog();
  const lines: string[] = [];
  const installer = new PythonPackageInstaller({
    python,
    env: env as NodeJS.ProcessEnv,
    settings: pythonPackagesSettingsSchema.parse({
      FLASH_UV: uv,
      FLASH_CACHE_DIR: join(root, 'cache', basename(join(python, '../..'))),
      ...settings,
    }),
    redactor: new SecretRedactor([]),
    log,
  });
  return {
    python,
    lines,
    log,
    installer,
    request: async (...requirements) => {
      if ((await installer.missing(requirements)).length === 0) installer.promise(requirements);
      else await installer.install(requirements, { accelerate, onLine: (line) => lines.push(line) });
    },
    version: async (module) =>
      (await run(python, ['-c', `import ${module}; print(${module}.version)`])).stdout.trim(),
  };
}

async function refusal(request: Promise<void>): Promise<string> {
  const error = await request.then(
    () => new Error('nothing was refused'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof InstallError) || error.failure !== 'CONFLICT')
    throw new Error(`no contradiction was found: ${error}`, { cause: error });
  return error.message;
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'flash-promised-'));
  wheels = join(root, 'wheels');
  // uv has no variable for it.
  await writeFile(join(root, 'uv.toml'), `[pip]\nno-index = true\nfind-links = ["${wheels}"]\n`);
  for (const version of ['1.0', '1.5', '2.0']) await wheel('Corner-Stone', version);
  await wheel('roof', '1.0', '--requires', 'corner.stone>=2');
  await wheel('house', '3.0', '--requires', 'roof');
  await wheel('tool-kit', '1.0', '--extra', 'full', '--requires', 'corner-stone>=2; extra == "full"');
  await wheel('lamp', '1.0');
  await wheel('oldest', '1.0', '--requires', 'corner-stone<2', '--requires', 'roof');
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe.each([
  ['uv', true],
  ['pip', false],
])('the shared interpreter with %s', (_, accelerate) => {
  const fresh = async (...packages: string[]) =>
    shared(await freshPython(...(accelerate ? [] : ['pip']), ...packages), { accelerate });

  it('refuses a set that contradicts itself, also when one side is installed', async () => {
    const { request, version } = await fresh();
    for (const prepare of [async () => {}, () => request('corner-stone==1.0')]) {
      await prepare();
      const message = await refusal(request('corner-stone==1.0', 'Corner_Stone == 2.0'));
      expect(message).toContain('corner-stone==1.0 and corner-stone==2.0');
      expect(message).toContain('of this request contradict each other');
    }
    expect(await version('corner_stone')).toBe('1.0');
  });

  it('keeps what an earlier request pinned: another pin is refused, and both sides are named', async () => {
    const { request, version } = await fresh();
    await request('corner-stone==1.0');
    const message = await refusal(request('CORNER.stone==2.0', 'lamp'));
    expect(message).toContain('this request asks for corner-stone==2.0,');
    expect(message).toContain('earlier requests to this worker were promised corner-stone==1.0:');
    expect(message).toContain('FLASH_ENVIRONMENTS=isolated');
    expect(await version('corner_stone')).toBe('1.0');
    // What was refused is promised to none, and what contradicts nothing is installed.
    await request('corner-stone==1.0', 'lamp');
    expect(await version('lamp')).toBe('1.0');
  });

  it('keeps it also from what a requirement requires, through others', async () => {
    const { request, version } = await fresh();
    await request('corner-stone==1.5');
    for (const requirements of [['house'], ['corner-stone==1.5', 'house']]) {
      const message = await refusal(request(...requirements));
      for (const side of ['corner-stone==1.5', 'house']) expect(message).toContain(side);
    }
    expect(await version('corner_stone')).toBe('1.5');
  });

  it('keeps what earlier requests’ packages require', async () => {
    const { request, version } = await fresh();
    await request('house');
    const message = await refusal(request('corner-stone<2'));
    for (const side of ['corner-stone<2', 'promised house']) expect(message).toContain(side);
    expect(await version('corner_stone')).toBe('2.0');
  });

  it('minds extras and markers', async () => {
    const { request, version } = await fresh();
    await request('corner-stone==1.0');
    await request('tool-kit', 'corner-stone==2.0; python_version < "3"');
    const message = await refusal(request('Tool.Kit[Full]'));
    for (const side of ['tool-kit[full]', 'corner-stone==1.0']) expect(message).toContain(side);
    expect(await version('corner_stone')).toBe('1.0');
  });

  it('replaces what no request was promised: the image’s package, and a version within what was promised', async () => {
    const { request, version } = await fresh('corner-stone==1.0');
    await request('corner-stone>=1.5,<3');
    expect(await version('corner_stone')).toBe('2.0');
    await request('corner-stone<2');
    expect(await version('corner_stone')).toBe('1.5');
    const message = await refusal(request('corner-stone==1.0'));
    expect(message).toContain('corner-stone<3,>=1.5');
  });

  it('keeps a package of the image that a request has run with', async () => {
    const { request, version } = await fresh('corner-stone==1.0');
    await request('corner-stone==1.0');
    await refusal(request('roof'));
    expect(await version('corner_stone')).toBe('1.0');
  });

  it('tells a request that fails by itself from one that contradicts an earlier one', async () => {
    const { request } = await fresh();
    await request('corner-stone==1.0', 'lamp');
    const message = await refusal(request('oldest'));
    expect(message).toContain('oldest');
    expect(message).not.toContain('earlier requests');
    await expect(request('corner-stone==7')).rejects.toMatchObject({ failure: 'NOT_FOUND' });
    await expect(request('no-such-thing')).rejects.toMatchObject({ failure: 'NOT_FOUND' });
  });

  it('keeps a package from its own place: not the same version from another one, and not installed again', async () => {
    const { request, python } = await fresh();
    const [here, there] = [join(root, 'here'), join(root, 'there')];
    const name = 'corner_stone-1.0-py3-none-any.whl';
    for (const place of [here, there]) {
      await mkdir(place, { recursive: true });
      await copyFile(join(wheels, name), join(place, name));
    }
    await request(`corner-stone @ file://${here}/${name}`);
    const message = await refusal(request(`corner-stone @ file://${there}/${name}`));
    for (const place of [here, there]) expect(message).toContain(`corner-stone @ file://${place}/${name}`);
    await refusal(request('roof'));
    // With its place gone it could not be installed again.
    await rm(here, { recursive: true });
    await request('lamp', `corner-stone @ file://${here}/${name}`);
    const site = (
      await run(python, ['-c', 'import corner_stone; print(corner_stone.__file__)'])
    ).stdout.trim();
    const record = join(site, '../corner_stone-1.0.dist-info/direct_url.json');
    expect(await readFile(record, 'utf8')).toContain(here);
  });
});

describe('the shared interpreter', () => {
  it('spawns nothing for what is there, whatever was promised', async () => {
    const python = await freshPython('corner-stone==1.5', 'lamp');
    const counting = join(root, 'counting-uv');
    await writeFile(counting, `#!/bin/sh\necho "$@" >> ${root}/calls\nexec ${uv} "$@"\n`);
    await chmod(counting, 0o755);
    const { request } = shared(python, { settings: { FLASH_UV: counting } });
    await request('corner-stone>=1', 'lamp');
    await request('corner-stone==1.5');
    await expect(readFile(join(root, 'calls'))).rejects.toThrow('ENOENT');
    await refusal(request('corner-stone==2.0'));
    expect(await readFile(join(root, 'calls'), 'utf8')).toContain('corner-stone==2.0');
  });

  it('lets user code’s own pip have its way, and says so', async () => {
    const { request, python, lines, version } = shared(await freshPython());
    await request('corner-stone==1.0');
    await pipInstall(python, 'corner-stone==2.0');
    await request('corner-stone==2.0', 'lamp');
    expect(lines.join('\n')).toContain('An earlier request asked for corner-stone==1.0');
    expect(await version('corner_stone')).toBe('2.0');
    await refusal(request('corner-stone==1.0'));
  });

  it('of a worker that starts anew has promised nothing, and takes nothing from the cache that contradicts its own promises', async () => {
    const settings = { FLASH_CACHE_DIR: join(root, 'cache-of-two') };
    const image = () => freshPython('corner-stone==1.0');
    const first = shared(await image(), { settings });
    await first.request('corner-stone==2.0');
    const again = shared(first.python, { settings });
    await again.request('corner-stone==1.5');
    expect(await again.version('corner_stone')).toBe('1.5');
    // The same base, in the same place: the first worker's resolution is for a worker that has promised nothing.
    await pipInstall(first.python, 'corner-stone==1.0');
    const third = shared(first.python, { settings });
    await third.request('corner-stone==1.0');
    await refusal(third.request('corner-stone==2.0'));
    expect(await third.version('corner_stone')).toBe('1.0');
  });

  it('says when it forgets a promise for want of room', async () => {
    const settings = { FLASH_MAX_PROMISED_REQUIREMENTS: '1' };
    const { request, log } = shared(await freshPython(), { settings });
    await request('lamp');
    await request('corner-stone==1.0');
    expect(log.events).toEqual([
      expect.objectContaining({ level: 'warn', fields: { package: 'lamp', bound: 1 } }),
    ]);
  });

  it('does not tell another request the credentials of an earlier one', async () => {
    const { installer } = shared(await freshPython('lamp'));
    installer.promise(['corner-stone @ https://user:token@index.example/corner-stone-1.0.whl']);
    const lines: string[] = [];
    await installer.install(['corner-stone==1.0'], { accelerate: true, onLine: (line) => lines.push(line) });
    expect(lines.join('\n')).toContain('https://[redacted]@index.example/corner-stone-1.0.whl');
  });

  it('resolves against the real index', async () => {
    const { request, python } = shared(await freshPython(), { env: process.env });
    await request('click==7.1.2');
    const message = await refusal(request('click==7.1.2', 'flask==3.0.3'));
    for (const side of ['flask==3.0.3', 'click==7.1.2']) expect(message).toContain(side);
    const code = 'from importlib.metadata import version; print(version("click"))';
    expect((await run(python, ['-c', code])).stdout).toBe('7.1.2\n');
  });
});

describe('the tool', () => {
  const noUv = () => ({ settings: { FLASH_UV: '/nowhere' }, env: { ...offline(), PATH: '/usr/bin:/bin' } });

  it('is uv where there is no pip, with a line that says so', async () => {
    const { request, lines, version } = shared(await freshPython(), { accelerate: false });
    await request('lamp');
    expect(await version('lamp')).toBe('1.0');
    expect(lines.filter((line) => line.includes('has no pip: installing with uv'))).toHaveLength(1);
  });

  it('is pip where there is no uv, with a line that says so', async () => {
    const { request, lines, version } = shared(await freshPython('pip'), noUv());
    await request('lamp');
    expect(await version('lamp')).toBe('1.0');
    expect(
      lines.filter((line) => line.includes('uv was not found (FLASH_UV): installing with pip')),
    ).toHaveLength(1);
  });

  it.each([true, false])('is asked for where there is neither (accelerated: %s)', async (accelerate) => {
    const { request } = shared(await freshPython(), { ...noUv(), accelerate });
    await expect(request('lamp')).rejects.toMatchObject({
      failure: 'TOOL_MISSING',
      message: expect.stringContaining('neither uv nor pip'),
    });
  });
});
