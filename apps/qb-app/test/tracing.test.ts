import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '../../../scripts/lib/until.ts';
import { OtlpReceiver, type ReceivedSpan } from './otlp-receiver.ts';
import { live, Queue } from './queue-worker.ts';

const lbMain = fileURLToPath(new URL('../../lb-app/src/main.ts', import.meta.url));
const python = fileURLToPath(new URL('../../../.venv/bin/python', import.meta.url));
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const caller = '00f067aa0ba902b7';
const traceparent = `00-${traceId}-${caller}-01`;
const carrier = 'from flash_runner import tracing\ndef f(): return tracing.carrier()';

let queue: Queue;
let receiver: OtlpReceiver;
let lb: ChildProcess | undefined;
beforeEach(async () => {
  queue = await Queue.open();
  receiver = await OtlpReceiver.open();
});
afterEach(async () => {
  lb?.kill('SIGKILL');
  lb = undefined;
  await queue.close();
  receiver.close();
});

const traced = (env: Record<string, string> = {}): Record<string, string> => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
  OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
  OTEL_BSP_SCHEDULE_DELAY: '50',
  ...env,
});

const named = (name: string): readonly ReceivedSpan[] => receiver.spans.filter((span) => span.name === name);

async function spansNamed(...names: readonly string[]): Promise<readonly ReceivedSpan[]> {
  await until(() => names.every((name) => named(name).length > 0));
  return names.map((name) => named(name)[0] as ReceivedSpan);
}

/** An app whose function belongs to the queue endpoint `gpu`. */
function deploy(): Record<string, string> {
  const directory = join(queue.directory, 'app');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'far.py'), carrier.replace('f()', 'far()'));
  const path = join(directory, 'flash_manifest.json');
  writeFileSync(
    path,
    JSON.stringify({
      version: '1.0',
      resources: {
        gpu: { resource_type: 'x', functions: [{ name: 'far', module: 'far', is_class: false }] },
        web: { resource_type: 'x', functions: [] },
      },
      function_registry: { far: 'gpu' },
      resources_endpoints: { gpu: `${queue.endpoint('gpu')}/runsync` },
    }),
  );
  return {
    FLASH_APP_DIR: directory,
    FLASH_MANIFEST_PATH: path,
    FLASH_DISABLE_UNPACK: '1',
    RUNPOD_API_KEY: 'the-api-key-nobody-may-see',
  };
}

async function startLb(env: Record<string, string>): Promise<string> {
  lb = spawn(process.execPath, ['--conditions=source', lbMain], {
    env: { ...process.env, FLASH_PYTHON: python, HOST: '127.0.0.1', PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [lb.stdout, lb.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
  await until(() => /port(?:":|=)\d+/.test(log));
  const url = `http://127.0.0.1:${/port(?:":|=)(\d+)/.exec(log)?.[1]}`;
  await until(async () => (await fetch(`${url}/ping`)).status === 200);
  return url;
}

describe('a trace', () => {
  it('leads from an HTTP call through a routed call to user code', async () => {
    const app = deploy();
    queue.worker(traced({ ...app, FLASH_RESOURCE_NAME: 'gpu' }), [], 'gpu');
    const url = await startLb(traced({ ...app, FLASH_RESOURCE_NAME: 'web' }));
    const response = await fetch(`${url}/execute`, {
      method: 'POST',
      headers: { traceparent, tracestate: 'vendor=1' },
      body: JSON.stringify({ function_name: 'far', serialization_format: 'json' }),
    });
    const { json_result: seen } = (await response.json()) as { json_result: Record<string, string> };
    const spans = await spansNamed('POST /execute', 'route', 'serialise', 'job', 'take', 'run', 'post');
    const [http, route, , job, take, run, post] = spans as unknown as [
      ReceivedSpan,
      ReceivedSpan,
      ReceivedSpan,
      ReceivedSpan,
      ReceivedSpan,
      ReceivedSpan,
      ReceivedSpan,
    ];
    expect(new Set(receiver.spans.map((span) => span.traceId))).toEqual(new Set([traceId]));
    expect(http.parentSpanId).toBe(caller);
    for (const { attributes } of [http, job])
      expect(attributes).toContainEqual({ key: 'flash.function', value: { stringValue: 'far' } });
    expect(route.parentSpanId).toBe(http.spanId);
    expect(job.parentSpanId).toBe(route.spanId);
    for (const span of [take, run, post]) expect(span.parentSpanId).toBe(job.spanId);
    expect(seen).toEqual({ traceparent: `00-${traceId}-${run.spanId}-01`, tracestate: 'vendor=1' });
    for (const { startTimeUnixNano, endTimeUnixNano, status } of spans) {
      expect(BigInt(endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(startTimeUnixNano));
      expect(status.message).toBeUndefined();
    }
  });

  it('goes through a worker that exports nothing; the gateway takes it from a header', async () => {
    queue.worker();
    const response = await fetch(`${queue.url}/runsync`, {
      method: 'POST',
      headers: { traceparent },
      body: JSON.stringify({ input: live(carrier) }),
    });
    expect(await response.json()).toMatchObject({ output: { json_result: { traceparent } } });
    expect(await queue.runsync(live(carrier))).toMatchObject({ output: { json_result: {} } });
  });

  it('begins here without one; a part of them is sampled, what fails is marked, its text stays here', async () => {
    queue.worker(traced());
    const packages = { ...live('def f(): raise ValueError("my secret")'), dependencies: ['cloudpickle'] };
    await queue.runsync(packages);
    const [hydrate, install, run, job] = (await spansNamed('hydrate', 'install', 'run', 'job')) as [
      ReceivedSpan,
      ReceivedSpan,
      ReceivedSpan,
      ReceivedSpan,
    ];
    expect([hydrate.parentSpanId, install.parentSpanId, run.parentSpanId]).toEqual(
      Array.from({ length: 3 }, () => job.spanId),
    );
    expect(run.status).toMatchObject({ code: 2, message: 'raised' });
    expect(job.status).toMatchObject({ code: 2, message: 'failed' });
    expect(JSON.stringify(receiver.spans)).not.toContain('secret');
  });

  it('is not recorded beyond the ratio, and user code still gets its place', async () => {
    queue.worker(traced({ OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' }));
    const twice = 'from flash_runner import tracing\ndef f(): return [tracing.carrier(), tracing.carrier()]';
    const places = async (): Promise<unknown[]> => {
      const { output } = (await queue.runsync(live(twice))) as { output: { json_result: unknown[] } };
      return output.json_result;
    };
    const [first, again] = await places();
    expect(first).toEqual({ traceparent: expect.stringMatching(/^00-[\da-f]{32}-[\da-f]{16}-00$/) });
    // One place for all of a request, another one for the next.
    expect(again).toEqual(first);
    expect(await places()).not.toContainEqual(first);
    await queue.runsync({
      ...live(carrier),
      metadata: { traceparent },
    });
    expect(new Set((await spansNamed('job')).map((span) => span.traceId))).toEqual(new Set([traceId]));
  });

  it('goes out as protobuf by default, with headers that user code does not have, before the worker ends', async () => {
    const worker = queue.worker({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=collector-key',
    });
    const environment = live('import os\ndef f(): return str(dict(os.environ))');
    const { output } = (await queue.runsync(environment)) as { output: { json_result: string } };
    expect(output.json_result).not.toContain('collector-key');
    expect(await worker.kill('SIGTERM')).toBe(0);
    expect(receiver.headers).toContain('collector-key');
    expect(Buffer.concat(receiver.binary).toString('latin1')).toContain('serialise');
  });

  it('is dropped when no collector takes it; jobs are served and the worker ends in time', async () => {
    // It takes connections, and answers nothing.
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const worker = queue.worker(
      traced({
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`,
        OTEL_EXPORTER_OTLP_TIMEOUT: '600000',
        FLASH_TRACES_FLUSH_MS: '500',
      }),
    );
    expect(await queue.runsync(live('def f(): return 1'))).toMatchObject({ status: 'COMPLETED' });
    // Without its own bound it would wait as long as the collector has for an answer.
    const late = delay(60_000, 'it waits', { ref: false });
    expect(await Promise.race([worker.kill('SIGTERM'), late])).toBe(0);
    silent.close();
  });
});
