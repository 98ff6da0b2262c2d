import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { clientsPython } from '../../../scripts/lib/clients-python.ts';
import { Gate } from '../../../scripts/lib/gate.ts';
import { pythonCode } from '../../../scripts/lib/python-code.ts';
import { readFlags } from '../src/index.ts';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const python = process.env.FLASH_PYTHON ?? path('../../../.venv/bin/python');
const main = ['--conditions=source', path('../src/main.ts')];
const env = { ...process.env, FLASH_PYTHON: python };

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function qb(args: string[], cwd?: string): Promise<Ended> {
  try {
    return {
      code: 0,
      ...(await promisify(execFile)(process.execPath, [...main, ...args], { env, ...(cwd ? { cwd } : {}) })),
    };
  } catch (error) {
    return error as Ended;
  }
}

const job = (code: string): string =>
  JSON.stringify({ input: { function_name: 'f', function_code: code, serialization_format: 'json' } });

describe('qb-app on the command line', () => {
  let empty: string;
  beforeAll(async () => {
    empty = await mkdtemp(join(tmpdir(), 'flash-test-'));
  });
  afterAll(() => rm(empty, { recursive: true }));

  it('prints the result as JSON on stdout, the log on stderr, and exits 0', async () => {
    const { code, stdout, stderr } = await qb(['--test_input', job('def f():\n print("hello")\n return 1')]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      output: {
        success: true,
        result: null,
        json_result: 1,
        stdout: 'hello\n',
        instance_id: null,
        instance_info: null,
      },
    });
    expect(stderr).toContain('"msg":"hello"');
  });

  it('exits 1 when the job has an error', async () => {
    const { code, stdout } = await qb([`--test_input=${job('def f(): raise ValueError("no")')}`]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      error: expect.stringMatching(/^no\n/),
      output: { success: false },
    });
  });

  it('compares with --test_output', async () => {
    const input = ['--test_input', job('def f(): return 1')];
    const output = {
      output: {
        success: true,
        result: null,
        json_result: 1,
        stdout: null,
        instance_id: null,
        instance_info: null,
      },
    };
    expect((await qb([...input, '--test_output', JSON.stringify(output)])).code).toBe(0);
    const other = await qb([...input, '--test_output', '{"output":2}']);
    expect(other.code).toBe(1);
    expect(other.stderr).toContain('--test_output');
  });

  it('takes test_input.json of the working directory', async () => {
    const none = await qb([], empty);
    expect(none.code).toBe(1);
    expect(none.stderr).toContain('test_input.json');
    await writeFile(
      join(empty, 'test_input.json'),
      await readFile(path('../../../examples/requests/function.json')),
    );
    const { code, stdout } = await qb([], empty);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).output.json_result).toEqual({ run: 3, python: 6, anywhere: 8 });
  });

  it.each([
    [['--test_input', '{'], 'the job is not JSON'],
    [['--test_input', '{"inputs":1}'], 'must be a JSON object with an'],
    [['--test_input', '{"input":{}}', '--test_output', '['], 'the expected result is not JSON'],
    [['--rp_serve_api', '--rp_api_port', 'http'], '--rp_api_port'],
    [['--rp_serve_api', '--rp_api_concurrency', '0'], '--rp_api_concurrency'],
  ])('refuses %j and says why', async (args, reason) => {
    const { code, stderr } = await qb(args);
    expect(code).toBe(1);
    expect(stderr).toContain(reason);
  });
});

describe('readFlags', () => {
  it('has the defaults of the SDK, and passes over what it does not know', () => {
    expect(readFlags(['--other=1', '--rp_log_level', 'DEBUG'])).toEqual({
      testInput: undefined,
      testOutput: undefined,
      logLevel: 'DEBUG',
      serveApi: false,
      apiHost: 'localhost',
      apiPort: 8000,
      apiConcurrency: 1,
      unknown: ['other'],
    });
  });

  it('says when a value is missing', () => {
    expect(() => readFlags(['--test_input'])).toThrow('--test_input needs a value');
  });
});

describe('qb-app serving the queue API', () => {
  const app = spawn(
    process.execPath,
    [
      ...main,
      '--rp_serve_api',
      '--rp_api_host',
      '127.0.0.1',
      '--rp_api_port',
      '0',
      '--rp_api_concurrency',
      '2',
    ],
    {
      env: { ...env, FLASH_CANCEL_GRACE_MS: '500' },
      stdio: ['ignore', 'inherit', 'pipe'],
    },
  );
  const exited = new Promise((resolve) => app.once('close', resolve));
  let url: string;
  beforeAll(async () => {
    let log = '';
    url = await new Promise((resolve, reject) => {
      app.stderr.setEncoding('utf8').on('data', (text: string) => {
        log += text;
        const port = /"port":(\d+)/.exec(log)?.[1];
        if (port) resolve(`http://127.0.0.1:${port}`);
      });
      void exited.then(() => reject(new Error(log)));
    });
  });
  afterAll(async () => {
    app.kill('SIGTERM');
    expect(await exited).toBe(0);
  });

  it('serves the clients runpod and runpod_flash', async () => {
    const clients = clientsPython();
    const clientEnv = { ...process.env, RUNPOD_ENDPOINT_BASE_URL: `${url}/v2`, RUNPOD_API_KEY: 'local' };
    const { stdout } = await promisify(execFile)(
      clients,
      ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', path('./clients')],
      { env: clientEnv },
    ).catch((error: { stdout: string }) => {
      throw new Error(error.stdout);
    });
    expect(stdout).toMatch(/\d+ passed/);
  }, 180_000);

  it('serves the short paths of the SDK’s own local server', async () => {
    const answer = await fetch(`${url}/runsync`, { method: 'POST', body: job('def f(): return 1') });
    const { id, status, output } = (await answer.json()) as { id: string; status: string; output: object };
    expect([status, output]).toEqual(['COMPLETED', expect.objectContaining({ json_result: 1 })]);
    expect(
      ((await (await fetch(`${url}/status/${id}`, { method: 'POST' })).json()) as { status: string }).status,
    ).toBe('COMPLETED');
  });

  it('shows a job as it runs: its log, then its end', async () => {
    const [before, between] = [new Gate(), new Gate()];
    const body = job(
      pythonCode`
        def f():
            ${before.wait}
            print("one", flush=True)
            ${between.wait}
            print("two")
            return 1
      `,
    );
    const { id } = (await (await fetch(`${url}/run`, { method: 'POST', body })).json()) as { id: string };
    const response = await fetch(`${url}/stream/${id}`, { headers: { accept: 'text/event-stream' } });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    let text = '';
    before.open();
    for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(piece).toString();
      // The function ends only when its first line was seen.
      if (text.includes('one')) between.open();
    }
    const events = text
      .trim()
      .split('\n\n')
      .map((block) => block.split('\n').map((line) => line.slice(line.indexOf(' ') + 1)));
    expect(events.map(([name]) => name)).toEqual(['log', 'log', 'end']);
    expect(JSON.parse(events[0]?.[1] ?? '')).toEqual({ text: 'one\n' });
    expect(JSON.parse(events[2]?.[1] ?? '')).toMatchObject({
      id,
      status: 'COMPLETED',
      output: { json_result: 1 },
    });
    // Who comes late gets all of it at once.
    const late = await fetch(`${url}/stream/${id}`, { headers: { accept: 'text/event-stream' } });
    expect(await late.text()).toMatch(/^event: log\ndata: .*one.*two.*\n\nevent: end\n/);
  });

  it.each([
    ['POST', '/v2/e/run', '{', 400],
    ['POST', '/v2/e/run', '{"inputs":1}', 400],
    ['POST', '/v2/e/run', '{"input":{},"policy":{"ttl":-1}}', 400],
    ['POST', '/v2/e/run', '{"input":{},"webhook":"file:///etc/passwd"}', 400],
    ['GET', '/v2/e/status/nope', undefined, 404],
    ['GET', '/nothing', undefined, 404],
  ])('%s %s with %s is answered with a JSON error', async (method, route, body, status) => {
    const answer = await fetch(url + route, { method, ...(body === undefined ? {} : { body }) });
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ error: expect.stringMatching(/\w/) });
  });
});
