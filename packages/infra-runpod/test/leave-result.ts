/** Keeps a result and is killed before it is posted: node leave-result.ts STATE_DIRECTORY WORKER_ID. */
import { Outbox } from '../src/outbox.ts';

const [stateDirectory = '', workerId = ''] = process.argv.slice(2);
const outbox = await Outbox.open({
  stateDirectory,
  workerId,
  maxResults: 10,
  maxBytes: 1e6,
  leaseMs: 30_000,
  log: { write: () => {} },
});
await outbox.put('left', false, Buffer.from('{"output":"left"}'));
process.kill(process.pid, 'SIGKILL');
