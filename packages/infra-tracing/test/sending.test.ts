import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import { tracingSettingsSchema } from '../src/index.ts';
import { SenderProcess } from '../src/sender-process.ts';
import { TraceCollector } from '../src/trace-collector.ts';
import { Collector } from './collector.ts';

const run = promisify(execFile);
const python =
  process.env.FLASH_PYTHON ?? fileURLToPath(new URL('../../../.venv/bin/python', import.meta.url));
const on = (given = python) => ({ python: given, env: process.env });
const headers = { 'api-key': 'key-of-the-collector', 'x-empty': '', 'content-type': 'application/json' };

let close: (() => void)[] = [];
afterEach(() => {
  for (const end of close) end();
  close = [];
});

async function collector(...given: Parameters<typeof Collector.open>): Promise<Collector> {
  const opened = await Collector.open(...given);
  close.push(() => opened.close());
  return opened;
}

function client(url: string, env: Record<string, string> = {}, given = python): TraceCollector {
  const settings = tracingSettingsSchema.parse({ OTEL_EXPORTER_OTLP_ENDPOINT: url, ...env });
  const made = new TraceCollector(settings, headers, on(given));
  close.push(() => made.abandon());
  return made;
}

function sender(url: string, certificates?: string, timeoutMs = 10_000): SenderProcess {
  const made = new SenderProcess(on(), { url, headers, timeoutMs, ...(certificates && { certificates }) });
  close.push(() => made.kill('the test is over'));
  return made;
}

/** Processes of this one that send traces. */
function senders(): number[] {
  return readdirSync('/proc/self/task')
    .flatMap((task) => readFileSync(`/proc/self/task/${task}/children`, 'utf8').trim().split(' '))
    .map(Number)
    .filter((pid) => pid > 0 && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('send_traces.py'));
}

const bytes = (text: string): Buffer => Buffer.from(text);

describe('a batch of spans', () => {
  it('goes to the collector’s place for traces, over a connection that is kept as long as the collector keeps it', async () => {
    const there = await collector();
    const made = client(`${there.url}/`);
    for (const text of ['one', 'x'.repeat(1_000_000)]) await made.send(bytes(text));
    expect(there.connections).toBe(1);
    // A sender makes one attempt: the connection that is gone counts as none.
    const one = sender(`${there.url}/v1/traces`);
    expect(await one.post(bytes('three'))).toMatchObject({ status: 200 });
    there.closeIdleConnections();
    await delay(50);
    expect(await one.post(bytes('three'))).toMatchObject({ status: 200 });
    expect(there.bodies.map((body) => body.length)).toEqual([3, 1_000_000, 5, 5]);
    expect(there.connections).toBe(3);
  });

  it('is tried again where the collector can’t take it now', async () => {
    const there = await collector([503, 200]);
    await client(there.url).send(bytes('one'));
    expect(there.bodies).toEqual(['one', 'one']);
  });

  it('is not where the collector does not want it; its words are told without the secret', async () => {
    const there = await collector(['echo']);
    await expect(client(there.url).send(bytes('one'))).rejects.toThrow(
      `${there.url}/v1/traces: status 401: no good: [redacted]`,
    );
    expect(there.bodies).toEqual(['one']);
  });

  it('is given up, like a name that leads nowhere, when its time is over', async () => {
    const there = await collector(['silence', 200]);
    const process = sender(there.url, undefined, 2000);
    expect(await process.post(bytes('one'))).toEqual({ failure: 'no answer in time' });
    expect(await process.post(bytes('two'))).toEqual({ status: 200, answer: '{}' });
    const nowhere = sender('http://nowhere.invalid:1/v1/traces');
    expect(await nowhere.post(bytes('one'))).toEqual({ failure: expect.stringMatching(/name|resolution/i) });
  });

  it('goes on by another process where one is gone', async () => {
    const there = await collector(['silence', 200]);
    const made = client(there.url);
    const sent = made.send(bytes('one'));
    while (there.bodies.length === 0) await delay(10);
    const [pid] = senders();
    process.kill(pid as number, 'SIGKILL');
    await sent;
    expect(there.bodies).toEqual(['one', 'one']);
    expect(senders()).not.toContain(pid);
  });

  it('is not tried again, and no process is begun, once it is given up', async () => {
    const made = client('http://127.0.0.1:9');
    const sending = made.send(bytes('one'));
    while (senders().length === 0) await delay(10);
    await delay(300);
    made.abandon();
    await expect(sending).rejects.toThrow('the worker ended before they were sent');
    // The next attempt would be now.
    await delay(2000);
    expect(senders()).toEqual([]);
    made.prepare();
    await delay(300);
    expect(senders()).toEqual([]);
  });

  it('says so where Python is not there', async () => {
    const process = new SenderProcess(on('/nowhere/python'), {
      url: 'http://127.0.0.1:9',
      headers,
      timeoutMs: 60_000,
    });
    expect(await process.post(bytes('one'))).toEqual({
      failure: expect.stringContaining('could not be started: spawn /nowhere/python ENOENT'),
    });
    expect(await process.post(bytes('two'))).toMatchObject({ failure: expect.stringContaining('ENOENT') });
  });

  it('goes over TLS to a collector that the worker trusts, and to no other', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'flash-test-'));
    close.push(() => rmSync(directory, { recursive: true }));
    const [keyFile, certFile] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
    await run('openssl', [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=localhost'],
      ...['-addext', 'subjectAltName=DNS:localhost', '-keyout', keyFile, '-out', certFile],
    ]);
    const cert = readFileSync(certFile, 'utf8');
    const there = await collector([200], { key: readFileSync(keyFile), cert });
    expect(await sender(there.url, cert).post(bytes('one'))).toMatchObject({ status: 200 });
    expect(await sender(there.url).post(bytes('two'))).toEqual({
      failure: expect.stringContaining('CERTIFICATE_VERIFY_FAILED'),
    });
    expect(there.bodies).toEqual(['one']);
  });
});
