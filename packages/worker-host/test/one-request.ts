/** A worker that runs one request with dependencies and says how it went: to be killed at any moment. Its settings are its environment. */
import { functionCallFrom, type Log, ports } from '@flash/worker-core';
import { ContainerModule } from 'inversify';
import { createWorker } from '../src/index.ts';

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const log: Log = {
  write(_level, message) {
    if (message.includes('was kept')) say('kept');
  },
};
const module = new ContainerModule(({ bind }) => {
  bind(ports.Log).toConstantValue(log);
});
const worker = createWorker({ modules: [module] });
await worker.start();
say('ready');
const [requirement = '', expression = ''] = process.argv.slice(2);
const request = {
  function_name: 'f',
  function_code: `def f():\n    import ${expression.split('.', 1)[0]}\n    return ${expression}`,
  dependencies: [requirement],
  serialization_format: 'json' as const,
};
const response = await worker.executeRequest.execute(functionCallFrom(request), { requestId: 'one' });
const { json_result, error } = response.toObject();
say(error === null ? `answer ${String(json_result)}` : `error ${error}`);
await worker.close();
