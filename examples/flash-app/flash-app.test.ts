import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { App } from '../../apps/lb-app/test/running-app.ts';
import { Queue } from '../../apps/qb-app/test/queue-worker.ts';
import { StateManagerDouble } from '../../packages/infra-manifest/test/state-manager-double.ts';
import { clientsPython } from '../../scripts/lib/clients-python.ts';

const run = promisify(execFile);
const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const key = 'the-users-key';

describe('the sample app, as the real flash build makes it', () => {
  let directory: string;
  let artifact: string;
  let queue: Queue;
  let apps: App[];
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'flash-test-'));
    const project = join(directory, 'project');
    cpSync(path('.'), project, { recursive: true, filter: (source) => !/test|node_modules/.test(source) });
    artifact = execFileSync(clientsPython(), [path('../../scripts/flash-build.py'), project], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  });
  beforeEach(async () => {
    apps = [];
    queue = await Queue.open();
  });
  afterEach(async () => {
    for (const app of apps) await app.end();
    await queue.close();
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  /** What every worker of the app is told. Its Python has what the artifact's own runpod_flash needs. */
  const deployment = (name: string): Record<string, string> => ({
    FLASH_PYTHON: clientsPython(),
    FLASH_BUILD_ARTIFACT_PATH: artifact,
    FLASH_APP_DIR: join(queue.directory, name),
    RUNPOD_API_KEY: key,
  });
  /** A queue worker of one resource. */
  const worker = (resource: string, endpoint = 'ep'): void => {
    const env = { ...deployment(resource), FLASH_ENDPOINT_TYPE: 'qb', FLASH_RESOURCE_NAME: resource };
    queue.worker({ ...env, RUNPOD_POD_ID: resource }, [], endpoint);
  };
  const lbApp = (name: string, env: NodeJS.ProcessEnv): App => {
    const app = new App({ ...deployment(name), RUNPOD_ENDPOINT_ID: 'ep', ...env });
    apps.push(app);
    return app;
  };
  const webApp = (env: NodeJS.ProcessEnv): App =>
    lbApp('web', {
      FLASH_ENDPOINT_TYPE: 'lb',
      ...env,
      FLASH_APP_DIR: join(queue.directory, Object.values(env).join()),
    });

  it('serves a function, with a module of the app beside it', async () => {
    worker('adder');
    expect(await queue.runsync({ a: 2, b: 3 })).toMatchObject({
      status: 'COMPLETED',
      output: { sum: 5, text: 'hello from adder' },
    });
    expect(await queue.runsync({ a: 2 })).toMatchObject({ output: { sum: 3 } });
    const wrong = await queue.runsync({ c: 1 });
    expect([wrong.status, wrong.error]).toEqual([
      'FAILED',
      expect.stringContaining("unexpected keyword argument 'c'"),
    ]);
  });

  it('serves as many calls of an async function at once as the manifest says', async () => {
    worker('later');
    const long = await Promise.all([1, 2, 3].map(() => queue.run({ seconds: 600 })));
    expect(await queue.runsync({ seconds: 0 })).toMatchObject({ status: 'COMPLETED', output: 0 });
    for (const { id } of long) expect((await queue.post(`status/${id}`)).status).toBe('IN_PROGRESS');
  });

  it('serves a class that is made once', async () => {
    worker('counter');
    const outputs: unknown[] = [];
    for (const by of [1, 10]) outputs.push((await queue.runsync({ by })).output);
    expect(outputs).toEqual([1, 11]);
  });

  it('serves its routes, and a web app of its own, to httpx, a WebSocket client and the load-balancer stub', async () => {
    const api = webApp({ FLASH_RESOURCE_NAME: 'api' });
    const chat = webApp({ FLASH_MAIN_FILE: 'chat.py' });
    await Promise.all([api.ready(), chat.ready()]);
    const { stdout } = await run(clientsPython(), [path('./test-clients/web_clients.py'), api.url, chat.url]);
    expect(stdout).toContain('all is well');
  });

  it('serves clients that leave it to the platform to find an endpoint', async () => {
    worker('adder', 'adder');
    worker('counter', 'counter');
    const dataPlane = queue.endpoint('').replace(/\/$/, '');
    const { stdout } = await run(clientsPython(), [path('./test-clients/sentinel.py'), dataPlane]);
    expect(stdout).toContain('all is well');
  });

  describe('by its manifest', () => {
    let stateManager: StateManagerDouble;
    beforeEach(async () => {
      stateManager = await StateManagerDouble.open(key);
    });
    afterEach(() => stateManager.close());

    /** Settings of a worker that takes FunctionRequests, of a resource of its own. */
    const dispatching = (name: string): Record<string, string> => ({
      ...deployment(name),
      RUNPOD_API_BASE_URL: stateManager.url,
      FLASH_ENVIRONMENT_ID: 'env-1',
      FLASH_MANIFEST_TTL_MS: '0',
    });
    const request = (function_name: string, kwargs: object) => ({
      function_name,
      kwargs,
      serialization_format: 'json',
    });
    /** Has the State Manager know where endpoints are. */
    const deployed = async (endpoints: Record<string, string>): Promise<void> => {
      const { stdout } = await run('tar', ['xzOf', artifact, './flash_manifest.json']).catch(() =>
        run('tar', ['xzOf', artifact, 'flash_manifest.json']),
      );
      stateManager.environments['env-1'] = 'build-1';
      stateManager.builds['build-1'] = { ...JSON.parse(stdout), resources_endpoints: endpoints };
    };

    it('runs functions and classes of this resource, and keeps instances', async () => {
      // Who this is follows from the endpoint's id where no resource is named.
      queue.worker({ ...dispatching('own'), FLASH_ENDPOINT_TYPE: 'qb' }, [], 'adder');
      const submit = async (input: object) =>
        (await (
          await fetch(`${queue.endpoint('adder')}/runsync`, {
            method: 'POST',
            body: JSON.stringify({ input }),
          })
        ).json()) as { output: { json_result: unknown }; error?: string };
      expect((await submit(request('add', { a: 1, b: 2 }))).output.json_result).toEqual({
        sum: 3,
        text: 'hello from adder',
      });
      expect((await submit(request('none', {}))).error).toContain('the deployed app has: ');
    });

    it('calls other endpoints: a queue from HTTP, HTTP from a queue, each through the other’s address', async () => {
      worker('adder', 'adder');
      const api = webApp({ FLASH_RESOURCE_NAME: 'api' });
      await api.ready();
      await deployed({ adder: queue.endpoint('adder'), api: api.url });
      const front = await lbApp('front', {
        ...dispatching('front'),
        RUNPOD_ENDPOINT_ID: 'front',
        FLASH_ENDPOINT_TYPE: 'qb',
      }).ready();
      const added = await front.json(request('add', { a: 20, b: 3 }));
      expect(added).toMatchObject({ success: true, json_result: { sum: 23 }, stdout: 'Calling adder' });
      queue.worker({ ...dispatching('back'), FLASH_ENDPOINT_TYPE: 'qb' });
      const greeted = await queue.runsync(request('hello', { name: 'queue' }));
      expect(greeted).toMatchObject({
        status: 'COMPLETED',
        output: { success: true, json_result: { hello: 'queue' } },
      });
      const failed = await front.json(request('add', { b: 1 }));
      expect(failed).toMatchObject({ success: false, error: expect.stringContaining("'a'") });
    });

    it('runs here what has no address, and says so', async () => {
      await deployed({});
      stateManager.faults = [{ kind: 'status', status: 401 }];
      const front = await lbApp('front', {
        ...dispatching('front'),
        RUNPOD_ENDPOINT_ID: 'front',
        FLASH_ENDPOINT_TYPE: 'qb',
      }).ready();
      const answer = await front.json(request('add', { a: 1 }));
      expect(answer).toMatchObject({ success: true, json_result: { sum: 2 } });
      expect(answer.stdout).toContain("The State Manager can't be asked");
      expect(answer.stdout).toContain('There is no address of adder: running add here');
      expect(answer.stdout).toMatch(/\n\n[\s\S]*adding 1 1\n$/);
      expect(readFileSync(join(queue.directory, 'front', 'flash_manifest.json'), 'utf8')).toContain('adder');
    });
  });
});
