import { existsSync } from 'node:fs';
import { runCommand } from '@flash/command-runner';
import { type FitnessCheck, UnfitError } from '@flash/worker-core';
import type { FitnessSettings } from './settings.ts';

const timeoutMs = 20_000;
const longestReason = 200;

/** Does the GPU answer, where one is expected? */
export class GpuCheck implements FitnessCheck {
  readonly name = 'gpu';
  readonly #env: NodeJS.ProcessEnv;

  /** @param env - environment `nvidia-smi` is looked for and run in. */
  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  async check(signal: AbortSignal): Promise<void> {
    const result = await runCommand('nvidia-smi', ['--query-gpu=name', '--format=csv,noheader'], {
      env: this.#env,
      timeoutMs,
      signal,
    });
    const said = result.output.trim();
    if (result.end === 'exited' && result.exitCode === 0 && said !== '' && said !== 'No devices were found')
      return;
    const how = result.end === 'exited' ? `ended with exit code ${result.exitCode}` : result.end;
    throw new UnfitError(
      this.name,
      `a GPU is expected and nvidia-smi ${how}: ${said.slice(-longestReason) || 'it said nothing'}`,
    );
  }
}

/** Whether this machine must have a GPU that works. */
export function expectsGpu({ FLASH_EXPECT_GPU, RUNPOD_GPU_COUNT }: FitnessSettings): boolean {
  return FLASH_EXPECT_GPU ?? ((RUNPOD_GPU_COUNT ?? 0) > 0 || existsSync('/dev/nvidiactl'));
}
