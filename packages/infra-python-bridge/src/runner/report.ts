import { readFile } from 'node:fs/promises';
import type { RunnerReport } from '@flash/worker-core';
import type { Runner } from './runner.ts';

/** What an operator sees of the runners of one environment; `undefined`: of the base interpreter. */
export function reportsOf(
  runners: readonly Runner[],
  environment: string | undefined,
): Promise<readonly RunnerReport[]> {
  return Promise.all(
    runners.map(async (runner) => ({
      id: runner.id,
      pid: runner.pid,
      state: stateOf(runner),
      environment,
      requestIds: runner.requestIds,
      instanceIds: [...runner.instances],
      memoryBytes: runner.pid === undefined ? undefined : await proportionalShare(runner.pid),
    })),
  );
}

function stateOf(runner: Runner): RunnerReport['state'] {
  if (!runner.isReady) return 'starting';
  return runner.isIdle ? 'idle' : 'busy';
}

/** Bytes, as the kernel shares them out: pages of the zygote that a runner has not written to count in part. */
async function proportionalShare(pid: number): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'latin1').catch(() => '');
  const kibibytes = /^Pss:\s+(\d+)/m.exec(text)?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}
