import { afterEach, describe, expect, it } from '@jest/globals';
import { App } from './running-app.ts';

let app: App;
afterEach(() => app.end());

const call = (code: string): object => ({
  function_name: 'f',
  function_code: code,
  serialization_format: 'json',
});

describe('metrics of lb-app', () => {
  it('tell what became of requests and of Python processes', async () => {
    app = await new App({ FLASH_MAX_OUTPUT_BYTES: '1000' }).ready();
    await app.json(call('def f(): return 1'));
    await app.json(call('def f(): raise ValueError()'));
    await app.json(call('import os\ndef f(): os._exit(3)'));
    expect((await app.post('{"function_name":"f"}')).status).toBe(422);
    expect((await app.post('{')).status).toBe(400);
    await app.json(call('def f(): print("x" * 4999)'));
    const answer = await fetch(`${app.url}/metrics`);
    expect(answer.headers.get('content-type')).toContain('version=0.0.4');
    const lines = (await answer.text()).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'flash_requests_total{outcome="returned"} 2',
        'flash_requests_total{outcome="failed"} 2',
        'flash_runner_ends_total{cause="crashed"} 1',
        'flash_requests_total{outcome="refused"} 1',
        'flash_request_duration_seconds_count 5',
        'flash_requests_in_progress 0',
        'flash_waiting_runs 0',
        'flash_refusals_total{code="INVALID_REQUEST"} 2',
        'flash_output_cut_bytes_total 4000',
        expect.stringMatching(/^flash_received_bytes_total\{door="http"\} \d{3}$/),
        expect.stringMatching(/^flash_sent_bytes_total\{door="http"\} \d{4}$/),
      ]),
    );
    const phases = ['code', 'python', 'app', 'ready'].map((phase) =>
      Number(lines.find((line) => line.startsWith(`flash_start_seconds{phase="${phase}"}`))?.split(' ')[1]),
    );
    expect(phases.every((seconds) => seconds > 0 && seconds < 600)).toBe(true);
    expect(Math.max(...phases)).toBe(phases.at(-1));
    expect((await fetch(`${app.url}/metrics`, { method: 'POST' })).status).toBe(405);
  });

  it('have a port of their own where it is set; one that can’t be had is told at the start', async () => {
    app = await new App({ FLASH_METRICS_HOST: '127.0.0.1', FLASH_METRICS_PORT: '0' }).ready();
    await app.logged(/serving metrics/);
    const url = /http:\/\/127\.0\.0\.1:\d+\/metrics/.exec(app.log)?.[0] ?? '';
    expect(await (await fetch(url)).text()).toContain('flash_requests_in_progress 0');
    const taken = new URL(url).port;
    const other = new App({ FLASH_METRICS_HOST: '127.0.0.1', FLASH_METRICS_PORT: taken });
    expect(await other.exited).toBe(1);
    expect(other.log).toContain('set FLASH_METRICS_PORT to a free port');
  });
});
