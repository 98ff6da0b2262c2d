import { parentPort, workerData } from 'node:worker_threads';
import type { TracingSettings } from './settings.ts';
import { TraceCollector } from './trace-collector.ts';

// A thread of its own sends traces: see ExportLine.

/** What the thread is started with. */
export interface ExportThreadData {
  readonly settings: TracingSettings;
  readonly headers: Readonly<Record<string, string>>;
}

/** A batch that is to be sent. */
export interface Batch {
  readonly number: number;
  readonly bytes: Uint8Array;
}

/** What became of it. */
export interface BatchEnd {
  readonly number: number;
  /** Why it was not taken. */
  readonly failure?: string;
}

const { settings, headers } = workerData as ExportThreadData;
const collector = new TraceCollector(settings, headers);

parentPort?.on('message', ({ number, bytes }: Batch) => {
  const tell = (end: BatchEnd): void => parentPort?.postMessage(end);
  collector.send(bytes).then(
    () => tell({ number }),
    (error: Error) => tell({ number, failure: error.message }),
  );
});
