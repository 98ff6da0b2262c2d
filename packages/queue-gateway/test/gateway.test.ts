import { RecordingLog } from '@flash/worker-core/testing';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { until } from '../../../scripts/lib/until.ts';
import { type Gateway, gatewaySettingsSchema, startGateway } from '../src/index.ts';

describe('a gateway', () => {
  let gateway: Gateway;
  let isOpen: boolean;
  beforeEach(async () => {
    // Whatever waits outlasts a test.
    const settings = gatewaySettingsSchema.parse({
      FLASH_GATEWAY_POLL_MS: '600000',
      FLASH_GATEWAY_RUNSYNC_WAIT_MS: '600000',
    });
    gateway = await startGateway({ host: '127.0.0.1', port: 0, settings, log: new RecordingLog() });
    isOpen = true;
  });
  afterEach(async () => {
    if (isOpen) await gateway.close();
  });
  const url = (route: string): string => `http://127.0.0.1:${gateway.port}/v2/ep/${route}`;
  const post = async (route: string, body: string) => {
    const response = await fetch(url(route), { method: 'POST', body });
    return [response.status, await response.json()];
  };

  it('refuses a result that is nested too deep to be printed, as one that no other attempt betters', async () => {
    const output = `{"output":${'[{"k":'.repeat(30_000)}1${'}]'.repeat(30_000)}}`;
    const refusal = [400, expect.objectContaining({ error: expect.stringMatching(/more than 4000 levels/) })];
    expect(await post('job-done/w/j', output)).toEqual(refusal);
    expect(await post('job-stream/w/j', output)).toEqual(refusal);
    const fits = `{"output":${'['.repeat(3990)}${']'.repeat(3990)}}`;
    expect(await post('job-done/w/j', fits)).toEqual([200, {}]);
  });

  it('has a stream’s chunks as the texts they came as', async () => {
    const job = (await post('run', '{"input":1}'))[1] as { id: string };
    await fetch(url('job-take/w'));
    for (const chunk of ['{"n":[1,"]"]}', '"two"'])
      await post(`job-stream/w/${job.id}`, `{"output":${chunk}}`);
    expect(await post(`stream/${job.id}`, '')).toEqual([
      200,
      { status: 'IN_PROGRESS', stream: [{ output: { n: [1, ']'] } }, { output: 'two' }] },
    ]);
    expect(await post(`stream/${job.id}`, '')).toEqual([200, { status: 'IN_PROGRESS', stream: [] }]);
  });

  it('answers who waits when it closes: clients with their jobs, workers with nothing', async () => {
    const [takes, stops] = [jest.spyOn(gateway.store, 'take'), jest.spyOn(gateway.store, 'stops')];
    const waiting = post('runsync', '{"input":{"n":3}}');
    await fetch(url('job-take/w'));
    const polls = [url('job-take/w'), url('job-stop/w')].map(async (poll) => (await fetch(poll)).status);
    await until(() => takes.mock.calls.length === 2 && stops.mock.calls.length === 1);
    isOpen = false;
    await gateway.close();
    expect(await waiting).toMatchObject([200, { status: 'CANCELLED' }]);
    expect(await Promise.all(polls)).toEqual([204, 204]);
  });
});
