import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '@flash/worker-core';
import { jobJson } from './job-view.ts';
import type { JobRecord } from './job-record.ts';

const attempts = 3;
const firstPauseMs = 500;
const timeoutMs = 10_000;

/** Posts an ended job to the address its client gave; tries again when that fails, and gives up with a log line. */
export async function callWebhook(url: string, record: JobRecord, log: Log): Promise<void> {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const failure = await post(url, jobJson(record));
    if (failure === undefined) return;
    log.write('warn', 'a webhook could not be called', { jobId: record.id, attempt, failure });
    if (attempt < attempts) await delay(firstPauseMs * 2 ** (attempt - 1), undefined, { ref: false });
  }
}

async function post(url: string, body: Uint8Array): Promise<string | undefined> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.body?.cancel();
    return response.ok ? undefined : `status ${response.status}`;
  } catch (error) {
    return (error as Error).message;
  }
}
