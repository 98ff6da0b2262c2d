import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'flash-code-intel-'));
const client = new Client({ name: 'test', version: '1' });

interface Answer {
  readonly name: string;
  readonly kind: string;
  readonly file: string;
  readonly line: number;
  readonly parent?: string;
  readonly signature: string;
  readonly doc?: string;
  readonly members?: readonly Answer[];
}

beforeAll(async () => {
  const env = { ...process.env, FLASH_CODE_INTEL_INDEX: join(directory, 'index.sqlite') } as Record<
    string,
    string
  >;
  const transport = new StdioClientTransport({ command: process.execPath, args: [main, 'serve'], env });
  // It builds the index before it answers.
  await client.connect(transport, { timeout: 170_000 });
}, 180_000);
afterAll(async () => {
  await client.close();
  rmSync(directory, { recursive: true });
});

async function ask(name: string, given: Record<string, string>): Promise<readonly Answer[]> {
  const { content } = (await client.callTool({ name, arguments: given })) as {
    content: readonly { readonly text: string }[];
  };
  const text = content[0]?.text ?? '';
  return text.startsWith('[') ? (JSON.parse(text) as readonly Answer[]) : [];
}

const core = 'packages/worker-core/src';
const runner = 'packages/infra-python-bridge/python/flash_runner';

describe('the MCP server', () => {
  it('offers five tools', async () => {
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      'find_symbol',
      'list_classes',
      'get_class_interface',
      'list_file_symbols',
      'find_by_decorator',
    ]);
  });

  it.each([
    ['ExecuteRequest', 'class', `${core}/usecases/execute-request.ts`],
    ['decodeFunctionCall', 'function', `${core}/protocol/decode-function-call.ts`],
    ['call_sync', 'function', `${runner}/user_code/invoke.py`],
    ['FLASH_MAX_BODY_BYTES', 'setting', 'packages/http-body/src/settings.ts'],
    ['flash_jobs_total', 'metric', `${core}/ports/metrics.ts`],
    ['accelerate_downloads', 'field', `${core}/protocol/function-request.ts`],
  ])('finds %s', async (name, kind, file) => {
    expect((await ask('find_symbol', { name, kind }))[0]).toMatchObject({ name, kind, file });
  });

  it('finds by a part of a name, the exact one first, and says when there is none', async () => {
    expect((await ask('find_symbol', { name: 'take' }))[0]?.name).toBe('take');
    const found = await ask('find_symbol', { name: 'tracer' });
    expect(found.map(({ name }) => name)).toEqual(expect.arrayContaining(['OtlpTracer', 'noTracer']));
    expect(await ask('find_symbol', { name: 'no_such_thing_anywhere' })).toEqual([]);
  });

  it.each([
    [`${core}/usecases`, ['ExecuteRequest', 'PlaceCall', 'ServeJobs', 'WarmUp', 'RunHandlerJob']],
    [runner, ['Runner', 'Route', 'Capture', 'Start', 'Fork']],
  ])('lists the classes of %s', async (directory, names) => {
    const classes = await ask('list_classes', { directory });
    expect(classes.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
    expect(classes.every(({ file }) => file.startsWith(directory))).toBe(true);
  });

  it.each([
    ['ServeJobs', ['constructor', 'serve', 'stop', 'abandonJobs']],
    ['Executor', ['start', 'warm', 'run', 'packagesChanged', 'closeEnvironment', 'close']],
    ['Runner', ['__init__', 'serve']],
    ['HeadTailBuffer', ['constructor', 'append', 'toString']],
    ['RunOptions', ['requestId', 'signal', 'timeoutMs', 'environment', 'trace']],
  ])('tells the interface of %s', async (name, members) => {
    const all = (await ask('get_class_interface', { name })).flatMap((owner) => owner.members ?? []);
    expect(all.map((member) => member.name)).toEqual(expect.arrayContaining(members));
    expect(all.filter((member) => member.name.startsWith('#'))).toEqual([]);
  });

  it.each([
    [`${core}/ports/tracer.ts`, 'noSpan'],
    [`${core}/ports/metrics.ts`, 'metricCatalogue'],
    [`${runner}/tracing.py`, 'carrier'],
    [`${runner}/output/route.py`, 'current_route'],
    ['packages/http-body/src/read-body.ts', 'readBody'],
  ])('lists what %s defines', async (file, name) => {
    const symbols = await ask('list_file_symbols', { file });
    expect(symbols.map((symbol) => symbol.name)).toContain(name);
    expect(symbols.map(({ line }) => line)).toEqual(symbols.map(({ line }) => line).sort((a, b) => a - b));
  });

  it('finds what is decorated', async () => {
    const properties = await ask('find_by_decorator', { decorator: '@property' });
    expect(properties.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['is_async', 'is_full', 'is_own_process', 'is_done', 'closed']),
    );
    expect(await ask('find_by_decorator', { decorator: 'absent' })).toEqual([]);
  });

  it('has signatures without bodies, and documentation', async () => {
    const [found] = await ask('find_symbol', { name: 'readTraceContext' });
    expect(found?.signature).toBe(
      'export function readTraceContext(carrier: unknown): TraceContext | undefined',
    );
    expect(found?.doc).toMatch(/^The trace that a carrier names/);
    const [python] = await ask('find_symbol', { name: 'call_sync', kind: 'function' });
    expect(python?.signature).toMatch(/^def call_sync\(target: Target, .*\) -> Any$/);
  });
});
