import { describe, expect, it } from '@jest/globals';
import { InvalidRequestError } from '../errors/invalid-request-error.ts';
import { functionCallFrom } from '../protocol/decode-function-call.ts';
import { FakeManifestStore } from '../testing/index.ts';
import { PlaceCall, type PlaceCallDependencies } from './place-call.ts';

const entry = (name: string, more: object = {}) => ({ name, module: `app.${name}`, ...more });
const manifest = {
  version: '1.0',
  function_registry: { mine: 'here', theirs: 'there', routed: 'web', Counter: 'counters', lost: 'nowhere' },
  resources: {
    here: { resource_type: 'x', functions: [entry('mine'), entry('unregistered')] },
    there: { resource_type: 'x', functions: [entry('theirs')] },
    web: {
      resource_type: 'x',
      is_load_balanced: true,
      functions: [entry('routed', { http_method: 'PUT', http_path: '/r/{id}' }), entry('bare')],
    },
    counters: {
      resource_type: 'x',
      handler_file: 'handler_counters.py',
      functions: [entry('Counter', { is_class: true })],
    },
  },
  resources_endpoints: { there: 'https://there/x', web: 'https://web', counters: 'https://c/v2/c' },
};

const place = async (name: string, parts: Partial<PlaceCallDependencies> = {}, hasKey = false) => {
  const warnings: string[] = [];
  const placed = await new PlaceCall({
    manifests: new FakeManifestStore(manifest),
    self: 'here',
    directory: '/app',
    platform: undefined,
    ...parts,
  }).place(
    functionCallFrom(
      name === 'Counter' ? { execution_type: 'class', class_name: name } : { function_name: name },
    ),
    (line) => warnings.push(line),
    hasKey,
  );
  return { placed, warnings };
};

describe('PlaceCall', () => {
  it.each(['mine', 'unregistered'])('runs %s here, and asks no State Manager', async (name) => {
    const manifests = new FakeManifestStore(manifest, new Error('never'));
    expect(await place(name, { manifests })).toEqual({
      placed: { kind: 'here', code: { module: `app.${name}`, directory: '/app' } },
      warnings: [],
    });
    expect(manifests.asked).toBe(0);
  });

  it('runs everything here where it is not known who this is', async () => {
    expect((await place('theirs', { self: undefined })).placed.kind).toBe('here');
  });

  it.each([
    ['theirs', { form: 'function-request', resource: 'there', url: 'https://there/x' }],
    ['routed', { form: 'route', resource: 'web', url: 'https://web', method: 'PUT', path: '/r/{id}' }],
    ['Counter', { form: 'queue', resource: 'counters', url: 'https://c/v2/c', takesMethod: true }],
  ])('sends %s where it belongs, in its form', async (name, endpoint) => {
    expect((await place(name)).placed).toEqual({ kind: 'elsewhere', endpoint });
  });

  it('knows from its source what is new, and what has come here', async () => {
    const manifests = (registry: object, more: object = {}) =>
      new FakeManifestStore(
        { ...manifest, function_registry: {} },
        { ...manifest, function_registry: registry, ...more },
      );
    expect((await place('theirs', { manifests: manifests({ theirs: 'there' }) })).placed.kind).toBe(
      'elsewhere',
    );
    const here = await place('mine', { manifests: manifests({ mine: 'here' }) });
    expect(here.placed.kind).toBe('here');
  });

  it('runs here what has no address, and says so', async () => {
    const without = { ...manifest, resources_endpoints: null };
    const { placed, warnings } = await place('theirs', { manifests: new FakeManifestStore(without) });
    expect(placed).toEqual({ kind: 'here', code: { module: 'app.theirs', directory: '/app' } });
    expect(warnings).toEqual(['There is no address of there: running theirs here']);
  });

  it('has the platform find what has no address, where it can be asked', async () => {
    const platform = { app: 'shop', environment: 'prod' };
    const without = { ...manifest, resources_endpoints: {} };
    const asked = async (hasKey: boolean, requestHasKey: boolean) => {
      const manifests = new FakeManifestStore(without);
      return (await place('theirs', { manifests, platform: { ...platform, hasKey } }, requestHasKey)).placed;
    };
    const elsewhere = {
      kind: 'elsewhere',
      endpoint: { form: 'sentinel', resource: 'there', ...platform, takesMethod: false },
    };
    expect(await asked(true, false)).toEqual(elsewhere);
    // With the key of the request it can be asked as well.
    expect(await asked(false, true)).toEqual(elsewhere);
    expect(await asked(false, false)).toMatchObject({ kind: 'here' });
  });

  it('goes on with what it knows when its source is down', async () => {
    const { placed, warnings } = await place('theirs', {
      manifests: new FakeManifestStore(manifest, new Error('down')),
    });
    expect([placed.kind, warnings]).toEqual(['elsewhere', ['down']]);
  });

  it.each([
    ['none', 'the deployed app has: mine, theirs'],
    ['lost', 'not in which module'],
    ['toString', 'the deployed app has'],
  ])('refuses %s by name', async (name, message) => {
    const refused = place(name);
    await expect(refused).rejects.toThrow(InvalidRequestError);
    await expect(refused).rejects.toThrow(message);
  });

  it('says that there is no deployed app', async () => {
    await expect(place('f', { manifests: new FakeManifestStore() })).rejects.toThrow(
      '"f" came without its code, and this worker has no deployed app',
    );
  });
});
