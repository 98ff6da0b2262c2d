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
    app = await new App().ready();
    await app.json(call('def f(): return 1'));
    await app.json(call('def f(): raise ValueError()'));
    await app.json(call('import os\ndef f(): os._exit(3)'));
    expect((await app.post('{"function_name":"f"}')).status).toBe(422);
    const answer = await fetch(`${app.url}/metrics`);
    expect(answer.headers.get('content-type')).toContain('version=0.0.4');
    const lines = (await answer.text()).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'flash_requests_total{outcome="returned"} 1',
        'flash_requests_total{outcome="failed"} 2',
        'flash_runner_ends_total{cause="crashed"} 1',
        'flash_requests_total{outcome="refused"} 1',
        'flash_request_duration_seconds_count 4',
        'flash_requests_in_progress 0',
        'flash_waiting_runs 0',
      ]),
    );
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
