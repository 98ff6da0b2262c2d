import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { App } from './running-app.ts';

const workersKey = 'the-workers-key-1234';
const clientsKey = 'a-clients-key-5678';

describe('a request with a key of its own that goes to another endpoint', () => {
  let directory: string;
  let app: App;
  let elsewhere: Server;
  let keys: (string | undefined)[];
  let answer: (key: string) => { readonly status: number; readonly body: object };
  beforeEach(async () => {
    keys = [];
    answer = () => ({ status: 200, body: { output: { success: true, json_result: 11 } } });
    elsewhere = createServer((request, response) => {
      keys.push(request.headers.authorization);
      request.resume();
      const { status, body } = answer(request.headers.authorization ?? '');
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
    directory = mkdtempSync(join(tmpdir(), 'flash-test-'));
    const { port } = elsewhere.address() as AddressInfo;
    const manifest = {
      version: '1',
      function_registry: { there: 'other', here: 'own' },
      resources: { own: { resource_type: 'q', functions: [{ name: 'here', module: 'code' }] } },
      resources_endpoints: { other: `http://127.0.0.1:${port}/v2/other` },
    };
    writeFileSync(join(directory, 'flash_manifest.json'), JSON.stringify(manifest));
    writeFileSync(
      join(directory, 'code.py'),
      'import os\ndef here(): return [value for value in os.environ.values()]\n',
    );
    app = await new App({
      FLASH_APP_DIR: directory,
      FLASH_RESOURCE_NAME: 'own',
      RUNPOD_API_KEY: workersKey,
      RUNPOD_LOG_LEVEL: 'DEBUG',
    }).ready();
  });
  afterEach(async () => {
    app.process.kill('SIGKILL');
    await app.exited;
    elsewhere.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const execute = async (name: string, headers: Record<string, string> = {}) => {
    const body = JSON.stringify({ function_name: name, serialization_format: 'json' });
    const response = await fetch(`${app.url}/execute`, { method: 'POST', body, headers });
    return (await response.json()) as { json_result: unknown; error: string | null };
  };

  it('has it passed on, before the worker’s', async () => {
    expect(await execute('there', { authorization: `Bearer ${clientsKey}` })).toMatchObject({
      json_result: 11,
    });
    expect(await execute('there', { authorization: 'Basic dXNlcjpzZWNyZXQ=' })).toMatchObject({
      error: null,
    });
    await execute('there');
    expect(keys).toEqual([`Bearer ${clientsKey}`, 'Basic dXNlcjpzZWNyZXQ=', `Bearer ${workersKey}`]);
  });

  it('finds it in no error and no log, and user code in no place', async () => {
    const authorization = `Bearer ${clientsKey}`;
    answer = (key) => ({ status: 401, body: { error: `the key ${key} is not known` } });
    expect((await execute('there', { authorization })).error).toMatch(/status 401.*\[redacted\]/);
    answer = (key) => ({ status: 200, body: { output: { success: false, error: `refused: ${key}` } } });
    const { error } = await execute('there', { authorization });
    expect(error).toMatch(/^refused: .*\[redacted\]/);
    const { json_result: values } = await execute('here', { authorization });
    expect(values).toEqual(expect.arrayContaining([directory]));
    expect(JSON.stringify(values) + error + app.log).not.toContain(clientsKey);
    expect(await execute('there')).not.toMatchObject({ error: expect.stringContaining(workersKey) });
  });
});
