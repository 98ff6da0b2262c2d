import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { cp, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  type Environment,
  type FetchStages,
  NoVolumeCache,
  SecretRedactor,
  type VolumeCache,
} from '@flash/worker-core';
import { environmentsContract, RecordingLog } from '@flash/worker-core/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '../../../scripts/lib/until.ts';
import { UvEnvironments } from '../src/adapters.ts';
import { pythonPackagesSettingsSchema } from '../src/index.ts';

const venv = fileURLToPath(new URL('../../../.venv/bin', import.meta.url));
const uv = join(venv, 'uv');
const run = promisify(execFile);
const options = { accelerate: true };
let root: string;
/** What stands for the image: a Python with cloudpickle and an old six. */
let base: string;
let directories = 0;

const newDirectory = (): string => join(root, `dir-${directories++}`);

/** Keeps directories by copying them. */
class CopyingCache extends NoVolumeCache implements VolumeCache {
  readonly directory: string;

  constructor(directory: string) {
    super();
    this.directory = directory;
    mkdirSync(directory, { recursive: true });
  }

  override async kept(): Promise<readonly string[]> {
    return readdirSync(this.directory);
  }

  override async fetch(name = '', directory = ''): Promise<boolean> {
    if (!existsSync(join(this.directory, name))) return false;
    await cp(join(this.directory, name), directory, { recursive: true, verbatimSymlinks: true });
    return true;
  }

  override async keep(name = '', directory = ''): Promise<void> {
    const aside = join(root, `aside-${directories++}`);
    try {
      await cp(directory, aside, { recursive: true, verbatimSymlinks: true });
      await rename(aside, join(this.directory, name));
    } catch {
      // It was removed meanwhile, or is kept already.
    }
  }
}

/** Brings directories in the order that was asked for, and their last part when it is told to. */
class SlowCache extends CopyingCache {
  readonly last = Promise.withResolvers<boolean>();

  override async fetch(name = '', directory = '', stages?: FetchStages): Promise<boolean> {
    if (!(await super.fetch(name, directory))) return false;
    const isTest = /site-packages\/[^/]+\/(.*\/)?tests?(\/|$)/;
    const tests = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((path) =>
      isTest.test(path),
    );
    for (const path of tests) await rm(join(directory, path), { recursive: true, force: true });
    stages?.onFirst();
    stages?.onUsable?.();
    if (!(await this.last.promise)) {
      await rm(join(this.directory, name), { recursive: true });
      return false;
    }
    await cp(join(this.directory, name), directory, { recursive: true, verbatimSymlinks: true });
    return true;
  }
}

interface Worker {
  readonly environments: UvEnvironments;
  readonly path: string;
  readonly closed: string[];
  readonly log: RecordingLog;
}

function newWorker(settings: object = {}, volumeCache: VolumeCache = new NoVolumeCache()): Worker {
  const [path, closed, log] = [newDirectory(), [] as string[], new RecordingLog()];
  const environments = new UvEnvironments({
    python: base,
    env: process.env,
    settings: pythonPackagesSettingsSchema.parse({
      FLASH_UV: uv,
      FLASH_CACHE_DIR: join(root, 'cache'),
      FLASH_ENVIRONMENTS_DIR: path,
      ...settings,
    }),
    redactor: new SecretRedactor([]),
    log,
    volumeCache,
    executor: {
      start: async () => {},
      packagesChanged: async () => {},
      closeEnvironment: async (id) => Boolean(closed.push(id)),
    },
  });
  return { environments, path, closed, log };
}

/** A cache that has an environment with toolz==0.12.0. */
async function keptBySlowCache(): Promise<{ cache: SlowCache; directory: string }> {
  const directory = newDirectory();
  const built = newWorker({}, new CopyingCache(directory));
  (await built.environments.acquire(['toolz==0.12.0'], options)).release();
  await built.environments.close();
  await until(() => readdirSync(directory).length > 0);
  return { cache: new SlowCache(directory), directory };
}

async function said(environment: Environment | undefined, code: string): Promise<string> {
  const env = { ...process.env, ...environment?.variables };
  return (await run(environment?.python ?? base, ['-c', code], { env })).stdout.trim();
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'flash-environments-'));
  await run(uv, ['venv', '--quiet', '--python', join(venv, 'python'), join(root, 'base')]);
  base = join(root, 'base/bin/python');
  await run(uv, ['pip', 'install', '--quiet', '--python', base, 'six==1.15.0', 'cloudpickle==3.1.2']);
});
// Something may still be on its way to the volume.
afterAll(() => rm(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }));

describe('UvEnvironments keeps the contract of Environments', () => {
  const make = async () => {
    const cache = new CopyingCache(newDirectory());
    const settings = { FLASH_MAX_ENVIRONMENTS: '2' };
    return {
      environments: newWorker(settings, cache).environments,
      newWorker: async () => newWorker(settings, cache).environments,
      versions: ['toolz==0.12.0', 'toolz==1.0.0'] as const,
      ofBase: 'six>=1.10',
      unknown: 'this-package-does-not-exist-flash',
    };
  };
  for (const { name, run: check } of environmentsContract(make)) it(name, check);
});

describe('an environment', () => {
  it('has the base’s packages below its own, its own first, and its commands on the path', async () => {
    const { environments } = newWorker();
    const lease = await environments.acquire(['humanize', 'six>=1.16', 'isodate==0.7.2', 'cowsay'], options);
    const code =
      'import six, cloudpickle, humanize, isodate, sys, shutil; print(six.__version__ > "1.15.0", cloudpickle.__version__, sys.prefix, shutil.which("cowsay"))';
    const { VIRTUAL_ENV } = lease.environment?.variables ?? {};
    expect(await said(lease.environment, code)).toBe(`True 3.1.2 ${VIRTUAL_ENV} ${VIRTUAL_ENV}/bin/cowsay`);
    expect((await run(`${VIRTUAL_ENV}/bin/cowsay`, ['-t', 'moo'])).stdout).toContain('moo');
    // The base is what it was.
    expect(await said(undefined, 'import six; print(six.__version__)')).toBe('1.15.0');
    lease.release();
  });

  it('takes nothing from the index that the base has', async () => {
    const { environments } = newWorker();
    const lease = await environments.acquire(['python-dateutil==2.9.0', 'six'], options);
    const packages = join(lease.environment?.variables.VIRTUAL_ENV ?? '', 'lib');
    const [python = ''] = readdirSync(packages);
    expect(readdirSync(join(packages, python, 'site-packages'))).not.toContain('six.py');
    expect(await said(lease.environment, 'import dateutil, six; print(six.__version__)')).toBe('1.15.0');
    lease.release();
  });

  it('of a set that was seen once is not resolved again: another disk, no index', async () => {
    const first = newWorker();
    (await first.environments.acquire(['toolz'], options)).release();
    const offline = newWorker();
    Object.assign(process.env, { UV_OFFLINE: '1' });
    try {
      const lines: string[] = [];
      const lease = await offline.environments.acquire(['toolz'], {
        ...options,
        onLine: (line) => lines.push(line),
      });
      expect(await said(lease.environment, 'import toolz; print("here")')).toBe('here');
      lease.release();
    } finally {
      delete process.env.UV_OFFLINE;
    }
  });

  it('is refused to a set that contradicts itself, also when the base or a requirement of a requirement has one side', async () => {
    const { environments, path } = newWorker();
    const sets = [
      ['toolz==0.12.0', 'Toolz==1.0.0'],
      ['six==1.15.0', 'six==1.16.0'],
      ['flask==3.0.3', 'click==7.1.2'],
    ];
    for (const set of sets) {
      const error = await environments.acquire(set, options).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ failure: 'CONFLICT' });
      for (const side of set) expect((error as Error).message).toContain(side.toLowerCase());
      expect((error as Error).message).toContain('of this request contradict each other');
    }
    expect(readdirSync(path)).toEqual([]);
    // What one request has is nothing to the next.
    for (const requirement of ['toolz==0.12.0', 'toolz==1.0.0'])
      (await environments.acquire([requirement], options)).release();
  });

  it('is not there by halves when its build fails, or is cancelled', async () => {
    const { environments, path } = newWorker();
    const broken = newDirectory();
    mkdirSync(broken);
    await writeFile(join(broken, 'setup.py'), 'raise SystemExit("this can not be built")');
    await expect(environments.acquire([`broken @ file://${broken}`], options)).rejects.toThrow(
      'can not be built',
    );
    const abort = new AbortController();
    const cancelled = environments.acquire(['pandas'], { ...options, signal: abort.signal });
    setTimeout(() => abort.abort(), 300);
    await expect(cancelled).rejects.toMatchObject({ failure: 'CANCELLED' });
    await until(() => readdirSync(path).length === 0);
  });

  it('goes when there are too many, the least recently used one first, and its processes before it', async () => {
    const { environments, closed, path } = newWorker({ FLASH_MAX_ENVIRONMENTS: '2' });
    const ids: (string | undefined)[] = [];
    for (const requirement of ['toolz', 'humanize', 'toolz', 'isodate']) {
      const lease = await environments.acquire([requirement], options);
      ids.push(lease.environment?.id);
      lease.release();
    }
    expect(closed).toEqual([ids[1]]);
    expect(
      readdirSync(path)
        .filter((name) => !name.startsWith('.'))
        .sort(),
    ).toEqual([ids[0], ids[3]].sort());
  });

  it('goes when all of them take more than they may', async () => {
    const { environments, closed } = newWorker({ FLASH_ENVIRONMENTS_MAX_BYTES: '1' });
    for (const requirement of ['toolz', 'humanize'])
      (await environments.acquire([requirement], options)).release();
    await until(() => closed.length > 0);
  });

  it('is not removed while another worker of this machine uses it', async () => {
    const shared = newDirectory();
    const settings = { FLASH_ENVIRONMENTS_DIR: shared, FLASH_MAX_ENVIRONMENTS: '1' };
    const script = `
      import { UvEnvironments } from ${JSON.stringify(new URL('../src/adapters.ts', import.meta.url).href)};
      import { pythonPackagesSettingsSchema } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)};
      import { NoVolumeCache, SecretRedactor } from '@flash/worker-core';
      const settings = pythonPackagesSettingsSchema.parse(${JSON.stringify({ ...settings, FLASH_UV: uv, FLASH_CACHE_DIR: join(root, 'cache') })});
      const environments = new UvEnvironments({ python: ${JSON.stringify(base)}, env: process.env, settings, redactor: new SecretRedactor([]),
        log: { write() {} }, volumeCache: new NoVolumeCache(), executor: { start: async () => {}, packagesChanged: async () => {}, closeEnvironment: async () => true } });
      const lease = await environments.acquire(['toolz'], { accelerate: true });
      process.stdout.write(lease.environment.id);
      setInterval(() => {}, 1000);`;
    const other = spawn(
      process.execPath,
      ['--conditions=source', '--input-type=module', '--disable-warning=ExperimentalWarning', '-e', script],
      { cwd: fileURLToPath(new URL('..', import.meta.url)), stdio: ['ignore', 'pipe', 'inherit'] },
    );
    try {
      const [id] = (await once(other.stdout, 'data')) as [Buffer];
      // Two workers that come and go in one process.
      for (let worker = 0; worker < 2; worker++) {
        const { environments } = newWorker(settings);
        (await environments.acquire(['toolz'], options)).release();
        (await environments.acquire(['humanize'], options)).release();
        expect(existsSync(join(shared, id.toString(), 'bin/python'))).toBe(true);
        await environments.close();
      }
    } finally {
      other.kill('SIGKILL');
      await once(other, 'exit');
    }
    // Now that the other worker is gone none uses it.
    const { environments } = newWorker(settings);
    (await environments.acquire(['toolz'], options)).release();
    (await environments.acquire(['humanize'], options)).release();
    const left = () => readdirSync(shared).filter((name) => !name.startsWith('.'));
    await until(() => left().length === 1);
  });

  it('can be used before the tests of its packages have come, and exists for others when they have', async () => {
    const { cache, directory } = await keptBySlowCache();
    const shared = newDirectory();
    const settings = { FLASH_ENVIRONMENTS_DIR: shared };
    const worker = newWorker(settings, cache);
    const lease = await worker.environments.acquire(['toolz==0.12.0'], options);
    const { completionFile = '' } = lease.environment ?? {};
    const code =
      'import toolz, importlib.util as u; print(toolz.__version__, u.find_spec("toolz.tests") is not None)';
    expect(await said(lease.environment, code)).toBe('0.12.0 False');
    expect(existsSync(completionFile)).toBe(false);
    let isThere = false;
    const other = newWorker(settings, new CopyingCache(directory));
    const another = other.environments.acquire(['toolz==0.12.0'], options).then((its) => {
      isThere = true;
      return its;
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(isThere).toBe(false);
    cache.last.resolve(true);
    expect(await said((await another).environment, code)).toBe('0.12.0 True');
    expect(existsSync(completionFile)).toBe(true);
    lease.release();
  });

  it('makes room for another one when its tests have come', async () => {
    const { cache } = await keptBySlowCache();
    const worker = newWorker({ FLASH_MAX_ENVIRONMENTS: '1' }, cache);
    (await worker.environments.acquire(['toolz==0.12.0'], options)).release();
    setTimeout(() => cache.last.resolve(true), 100);
    const other = await worker.environments.acquire(['toolz==1.0.0'], options);
    expect(await said(other.environment, 'import toolz; print(toolz.__version__)')).toBe('1.0.0');
    other.release();
  });

  it('whose tests do not come is used without them, and goes when no request uses it', async () => {
    const { cache } = await keptBySlowCache();
    const worker = newWorker({}, cache);
    const lease = await worker.environments.acquire(['toolz==0.12.0'], options);
    cache.last.resolve(false);
    await until(() => worker.log.messages.some((message) => message.includes('have not come')));
    expect(await said(lease.environment, 'import toolz; print(toolz.__version__)')).toBe('0.12.0');
    lease.release();
    await until(() => readdirSync(worker.path).length === 0);
    const next = await worker.environments.acquire(['toolz==0.12.0'], options);
    expect(await said(next.environment, 'import toolz.tests; print(toolz.__version__)')).toBe('0.12.0');
    next.release();
  });

  it('says what to do where there is no uv', async () => {
    const { environments } = newWorker({ FLASH_UV: '/nowhere' });
    const { PATH } = process.env;
    process.env.PATH = '/usr/bin';
    try {
      await expect(environments.acquire(['toolz==0.11.0'], options)).rejects.toThrow('FLASH_UV');
    } finally {
      process.env.PATH = PATH;
    }
  });
});
