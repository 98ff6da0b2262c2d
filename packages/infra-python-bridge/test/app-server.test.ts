import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SecretRedactor } from '@flash/worker-core';
import {
  type AppUnderTest,
  appServerContract,
  lackingModule,
  RecordingLog,
} from '@flash/worker-core/testing';
import { afterEach, beforeEach, describe, it } from '@jest/globals';
import { clientsPython } from '../../../scripts/lib/clients-python.ts';
import { appServerSettingsSchema, PythonAppServer } from '../src/index.ts';

/** It has uvicorn. */
const python = clientsPython();
const sources: Record<AppUnderTest, string> = {
  good: 'async def app(scope, receive, send):\n    raise NotImplementedError',
  failing: 'raise ValueError("no model")',
  'lacking a module': `import ${lackingModule}`,
};

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('PythonAppServer keeps the contract of AppServer', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'flash-test-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const make = async (app: AppUnderTest) => {
    const file = join(directory, 'main.py');
    writeFileSync(file, sources[app]);
    const server = new PythonAppServer({
      python,
      env: process.env,
      findApp: () => ({ file, variable: 'app' }),
      endpointId: 'ep',
      logLevel: 'info',
      exitOnFailure: false,
      settings: appServerSettingsSchema.parse({ FLASH_APP_RESTART_MIN_MS: 10 }),
      redactor: new SecretRedactor([]),
      log: new RecordingLog(),
    });
    const port = await freePort();
    const place = {
      host: '127.0.0.1',
      port,
      isIpv6: false,
      isShared: true,
      keepAliveMs: 1000,
      drainMs: 1000,
    };
    return { server, place };
  };
  for (const { name, run } of appServerContract(make)) it(name, run);
});
