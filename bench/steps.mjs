/**
 * Where the time of a warm request goes: npm run bench:steps [-- --requests N]. Each part is measured with what is below it, in this process
 * and then over HTTP; what a step costs by itself is the difference. Needs `wrk`, which root on Debian gets installed.
 */
import { parseArgs } from 'node:util';
import { ContainerModule } from 'inversify';
import { decodeFunctionCall, ports } from '../packages/worker-core/dist/index.js';
import {
  PythonProcessExecutor,
  pythonBridgeSettingsSchema,
} from '../packages/infra-python-bridge/dist/index.js';
import { createWorker } from '../packages/worker-host/dist/index.js';
import { join } from 'node:path';
import { root } from '../scripts/lib/run.mjs';
import { median, wrk, wrkGet } from './figures.mjs';
import { freshCache, startWorker } from './servers.mjs';

const { values } = parseArgs({ options: { requests: { type: 'string', default: '5000' } } });
const requests = Number(values.requests);
const env = {
  ...process.env,
  FLASH_PYTHON: join(root, '.venv/bin/python'),
  FLASH_CACHE_DIR: freshCache,
  LOG_LEVEL: 'WARNING',
};
const body = Buffer.from(
  JSON.stringify({
    function_name: 'add',
    function_code: 'def add(a, b):\n    return a + b',
    args: [2, 3],
    serialization_format: 'json',
  }),
);

/** Requests of one kind, one right after the other, until it is the next one's turn: a runner that has to wait for longer goes to sleep. */
const turn = 100;

/** Medians of each, in microseconds. They take turns: a machine has phases in which everything is slower. */
async function microseconds(works) {
  const times = works.map(() => []);
  while (times.at(-1).length < requests)
    for (const [index, work] of works.entries()) {
      for (let number = 0; number < turn; number++) {
        const started = performance.now();
        await work();
        times[index].push((performance.now() - started) * 1000);
      }
    }
  // The first are compiled yet.
  return times.map((list) => median(list.slice(list.length >> 1)));
}

const call = decodeFunctionCall(body);
const executor = new PythonProcessExecutor({
  python: env.FLASH_PYTHON,
  env,
  log: { write: () => {} },
  settings: pythonBridgeSettingsSchema.parse(env),
});
// One executor for both: what two processes of one program take differs by more than what is looked for.
const worker = createWorker({
  env,
  modules: [new ContainerModule(({ bind }) => void bind(ports.Executor).toConstantValue(executor))],
});
await worker.start();
const options = { requestId: 'steps' };
const [decode, inPython, execute, whole] = await microseconds([
  () => decodeFunctionCall(body),
  () => executor.run(call, options),
  () => worker.executeRequest.execute(call, options),
  async () => (await worker.executeRequest.execute(decodeFunctionCall(body), options)).toJson(),
]);
await worker.close();
const server = await startWorker();
let [ping, post] = [[], []];
for (let round = 0; round < 6; round++) {
  ping = [...ping, (await wrkGet(`${server.url}/ping`, 1, 2)).p50 * 1000];
  post = [...post, (await wrk(server.url, 1, 2)).p50 * 1000];
}
server.close();
const rows = [
  ['JSON is parsed and checked', decode],
  ['to a process and back, the function included', inPython],
  ['the use case around it: metrics, log, trace', execute - inPython],
  ['FunctionResponse as text', whole - execute - decode],
  ['HTTP: client, both network stacks, head, body and answer', median(post) - whole],
  ['POST /execute, all of it', median(post)],
  // No part of it: by itself it takes longer than HTTP does as a part, with no runner that looks for work meanwhile.
  ['GET /ping by itself', median(ping)],
];
for (const [name, time] of rows) console.log(`${name.padEnd(62)} ${time.toFixed(1).padStart(7)} µs`);
