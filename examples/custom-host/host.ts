/**
 * A host of your own: reads FunctionRequests as JSON lines from stdin and writes FunctionResponses as JSON lines to stdout.
 *
 * It embeds the whole worker and replaces one port, the log, by its own adapter. Run it with
 * `echo '{"function_name": …}' | npx node examples/custom-host/host.ts` after `npm run setup`.
 */
import { createInterface } from 'node:readline/promises';
import {
  decodeFunctionCall,
  type Log,
  type LogFields,
  type LogLevel,
  ports,
  WorkerError,
} from '@flash/worker-core';
import { createWorker } from '@flash/worker-host';
import { ContainerModule } from 'inversify';

/** Counts lines by level, and shows the user's output as it comes. */
class CountingLog implements Log {
  readonly counts: Record<LogLevel, number> = { debug: 0, info: 0, warn: 0, error: 0 };

  write(level: LogLevel, message: string, { requestId, source }: LogFields = {}): void {
    this.counts[level]++;
    if (source === 'user') process.stderr.write(`[${requestId}] ${message}\n`);
  }
}

const log = new CountingLog();
const ownLog = new ContainerModule(({ bind }) => {
  bind(ports.Log).toConstantValue(log);
});
const worker = createWorker({ modules: [ownLog] });
await worker.start();

let line = 0;
const answers: Promise<void>[] = [];
for await (const text of createInterface({ input: process.stdin }))
  if (text.trim() !== '') answers.push(answer(`line-${++line}`, text));
await Promise.all(answers);
await worker.close();
process.stderr.write(`log lines: ${JSON.stringify(log.counts)}\n`);

/** One request; what is wrong with it becomes its answer, and the other requests go on. */
async function answer(requestId: string, text: string): Promise<void> {
  try {
    const call = decodeFunctionCall(new TextEncoder().encode(text));
    const response = await worker.executeRequest.execute(call, { requestId });
    process.stdout.write(`${response.toJson()}\n`);
  } catch (error) {
    if (!(error instanceof WorkerError)) throw error;
    process.stdout.write(`${JSON.stringify({ success: false, error: error.message, code: error.code })}\n`);
  }
}
