import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contractManifests, manifestStoreContract, RecordingLog } from '@flash/worker-core/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '../../../scripts/lib/until.ts';
import { manifestSettingsSchema, StateManagerManifestStore } from '../src/index.ts';
import { type Fault, StateManagerDouble } from './state-manager-double.ts';

const key = 'the-users-key-nobody-may-see';
const { here, atSource } = contractManifests;

describe('StateManagerManifestStore', () => {
  let directory: string;
  let path: string;
  let source: StateManagerDouble;
  let log: RecordingLog;
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'flash-test-'));
    path = join(directory, 'flash_manifest.json');
    log = new RecordingLog();
    source = await StateManagerDouble.open(key);
    source.environments['env-1'] = 'build-1';
    source.builds['build-1'] = atSource;
  });
  afterEach(async () => {
    await source.close();
    rmSync(directory, { recursive: true });
  });
  const write = (manifest: unknown, ageMs = 3_600_000): void => {
    writeFileSync(path, typeof manifest === 'string' ? manifest : JSON.stringify(manifest));
    const at = (Date.now() - ageMs) / 1000;
    utimesSync(path, at, at);
  };
  const open = (
    settings: Record<string, unknown> = {},
    more: { isDeployment?: boolean; endpointId?: string } = {},
  ): StateManagerManifestStore =>
    new StateManagerManifestStore({
      path,
      isDeployment: true,
      endpointId: 'ep-1',
      log,
      settings: manifestSettingsSchema.parse({
        RUNPOD_API_KEY: key,
        RUNPOD_API_BASE_URL: source.url,
        FLASH_ENVIRONMENT_ID: 'env-1',
        FLASH_MANIFEST_TIMEOUT_MS: 30_000,
        ...settings,
      }),
      ...more,
    });
  const current = async (store: StateManagerManifestStore) => {
    const warnings: string[] = [];
    const manifest = await store.current((line) => warnings.push(line));
    return { names: Object.keys(manifest?.function_registry ?? {}), warnings };
  };

  describe('keeps the contract', () => {
    const cases = manifestStoreContract(async (situation) => {
      if (situation.here !== undefined) write(situation.here);
      if (situation.source instanceof Error) {
        source.faults = [{ kind: 'errors', message: situation.source.message }];
      }
      return open(situation.source === undefined ? { FLASH_ENVIRONMENT_ID: undefined } : {});
    });
    for (const { name, run } of cases) it(name, run);
  });

  it('asks for the environment, then for its active build, and replaces the file', async () => {
    write(here);
    expect(await current(open())).toEqual({ names: ['new'], warnings: [] });
    expect(source.asked).toEqual(['flashEnvironment env-1', 'flashBuild build-1']);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject(atSource);
    expect(readdirSync(directory)).toEqual(['flash_manifest.json']);
  });

  it('takes a manifest that comes as text', async () => {
    source.builds['build-1'] = JSON.stringify(atSource);
    expect((await current(open())).names).toEqual(['new']);
  });

  it('does not ask while the file is young, also when another process has written it', async () => {
    write(here, 1000);
    const store = open();
    expect((await current(store)).names).toEqual(['old']);
    write(here);
    const other = open();
    expect((await current(other)).names).toEqual(['new']);
    expect((await current(open())).names).toEqual(['new']);
    expect(source.asked).toHaveLength(2);
  });

  it('asks again when its time is over', async () => {
    write(here);
    const store = open({ FLASH_MANIFEST_TTL_MS: 3000 });
    await current(store);
    await current(store);
    expect(source.asked).toHaveLength(2);
    source.environments['env-1'] = 'build-2';
    source.builds['build-2'] = { version: '1.1', function_registry: { newer: 'a' } };
    await until(async () => (await current(store)).names[0] === 'newer');
  });

  it('asks once for any number of calls at a time', async () => {
    source.faults = [{ kind: 'slow', ms: 100 }];
    const store = open();
    const all = await Promise.all(Array.from({ length: 20 }, () => current(store)));
    expect(new Set(all.map(({ names }) => names[0]))).toEqual(new Set(['new']));
    expect(source.asked).toHaveLength(2);
  });

  it('asks though a file is of the future', async () => {
    write(here, -86_400_000);
    expect((await current(open())).names).toEqual(['new']);
  });

  it.each<[string, Parameters<typeof open>]>([
    ['without a key', [{ RUNPOD_API_KEY: undefined }]],
    ['without an environment', [{ FLASH_ENVIRONMENT_ID: undefined }]],
    ['outside a Flash deployment', [{}, { isDeployment: false }]],
    ['on a preview endpoint', [{}, { endpointId: 'preview-x' }]],
  ])('makes no call %s', async (_, args) => {
    write(here);
    expect(await current(open(...args))).toEqual({ names: ['old'], warnings: [] });
    expect(source.asked).toEqual([]);
  });

  const status = (code: number): Fault => ({ kind: 'status', status: code });
  it.each<[string, Fault[], object?]>([
    ['a dropped connection', [{ kind: 'drop' }]],
    ['500, then 503', [status(500), status(503)]],
    ['429', [status(429)]],
    ['an answer that takes too long', [{ kind: 'slow', ms: 5000 }], { FLASH_MANIFEST_TIMEOUT_MS: 1500 }],
    ['garbage', [{ kind: 'garbage', text: '<html>' }]],
    ['a transient GraphQL error in a 200', [{ kind: 'errors', message: 'upstream timed out' }]],
    [
      'a GraphQL error with a transient code',
      [{ kind: 'errors', message: 'x', code: 'INTERNAL_SERVER_ERROR' }],
    ],
  ])('survives %s', async (_, faults, settings = {}) => {
    write(here);
    source.faults = faults;
    expect(await current(open({ ...settings }))).toEqual({ names: ['new'], warnings: [] });
    expect(log.events.some(({ message }) => message.includes('trying again'))).toBe(true);
  });

  it.each<[string, Fault[], string, number]>([
    ['three failures', [status(500), status(502), status(500)], 'status 500', 0],
    ['a key that is no good', [status(401)], 'status 401', 2],
    ['a refusal', [status(403)], 'status 403', 2],
    ['a GraphQL error that stays', [{ kind: 'errors', message: 'no such field' }], 'no such field', 2],
    ['an answer without data', [{ kind: 'garbage', text: '{}' }], 'the answer for env-1 lacks', 2],
    [
      'a build without a manifest',
      [{ kind: 'garbage', text: '{"data":{"flashEnvironment":{"activeBuildId":null}}}' }],
      'activeBuildId',
      2,
    ],
  ])(
    'serves on with what is here after %s, and leaves the source alone for a time',
    async (_, faults, reason, reached) => {
      write(here);
      source.faults = [...faults, status(418), status(418)];
      const store = open({ FLASH_MANIFEST_RETRY_MS: 2000 });
      const first = await current(store);
      expect(first.names).toEqual(['old']);
      expect(first.warnings).toEqual([expect.stringContaining(reason)]);
      // Not another attempt: neither in this refresh nor by the next call.
      expect((await current(store)).warnings).toHaveLength(1);
      expect(source.faults).toHaveLength(2);
      expect(source.asked.length).toBeLessThanOrEqual(reached);
      source.faults = [];
      let last = first;
      await until(async () => {
        last = await current(store);
        return last.names[0] === 'new';
      });
      expect(last).toEqual({ names: ['new'], warnings: [] });
      expect(log.events.at(-1)).toMatchObject({
        message: 'the manifest was brought up to date',
        fields: { failuresBefore: 1 },
      });
      expect(JSON.stringify([log.events, first])).not.toContain(key);
    },
  );

  it('keeps a good manifest when the source has a broken one', async () => {
    write(here);
    source.builds['build-1'] = { version: 5 };
    const { names, warnings } = await current(open());
    expect([names, warnings]).toEqual([
      ['old'],
      [expect.stringContaining('build build-1 has no valid manifest: version')],
    ]);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(here);
  });

  it('knows a new manifest also when it can’t be written', async () => {
    path = join(directory, 'none', 'flash_manifest.json');
    const store = open();
    expect((await current(store)).names).toEqual(['new']);
    expect((await current(store)).names).toEqual(['new']);
    expect(source.asked).toHaveLength(2);
  });

  it.each([
    ['no JSON', '{', 'is no manifest'],
    ['no object', '[]', 'is no manifest'],
    ['wrong', '{"version":"1","resources":{"a":{"resource_type":1}}}', 'resources.a.resource_type'],
  ])('says that a file is %s, and reads it when it is mended', async (_, text, message) => {
    write(text);
    const store = open();
    await expect(store.read()).rejects.toThrow(message);
    write(here);
    expect((await store.read())?.function_registry).toEqual(here.function_registry);
  });
});
