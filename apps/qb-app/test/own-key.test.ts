import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { ServedProcess } from './served-process.ts';

it('passes the key of a realtime request on to another endpoint, and of that request alone', async () => {
  const keys: (string | undefined)[] = [];
  const elsewhere = createServer((request, response) => {
    keys.push(request.headers.authorization);
    request.resume();
    response.end(JSON.stringify({ output: { success: true, json_result: 'there' } }));
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  const directory = mkdtempSync(join(tmpdir(), 'flash-test-'));
  const manifest = join(directory, 'manifest.json');
  const { port } = elsewhere.address() as AddressInfo;
  const endpoints = { away: `http://127.0.0.1:${port}/v2/away` };
  const registry = { remote: 'away' };
  writeFileSync(
    manifest,
    JSON.stringify({ version: '1', function_registry: registry, resources_endpoints: endpoints }),
  );
  const served = new ServedProcess([], {
    RUNPOD_REALTIME_PORT: '0',
    RUNPOD_API_KEY: 'key-of-the-worker',
    FLASH_RESOURCE_NAME: 'home',
    FLASH_MANIFEST_PATH: manifest,
  });
  try {
    const url = `http://127.0.0.1:${await served.port()}/local/realtime`;
    const body = JSON.stringify({ input: { function_name: 'remote', serialization_format: 'json' } });
    for (const headers of [{ authorization: 'Bearer key-of-a-caller' }, {}]) {
      const response = await fetch(url, { method: 'POST', body, headers });
      expect(await response.json()).toMatchObject({ output: { json_result: 'there' } });
    }
    expect(keys).toEqual(['Bearer key-of-a-caller', 'Bearer key-of-the-worker']);
  } finally {
    await served.close();
    elsewhere.close();
    rmSync(directory, { recursive: true });
  }
});
