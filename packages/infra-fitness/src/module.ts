import { tmpdir } from 'node:os';
import { type FitnessCheck, ports } from '@flash/worker-core';
import { ContainerModule } from 'inversify';
import { expectsGpu, GpuCheck } from './gpu-check.ts';
import { MemoryCheck } from './memory-check.ts';
import { OpenFilesCheck } from './open-files-check.ts';
import type { FitnessSettings } from './settings.ts';
import { TemporarySpaceCheck } from './temporary-space-check.ts';

export interface FitnessModuleOptions {
  readonly settings: FitnessSettings;
  /** Environment of the tools that checks run. */
  readonly env: NodeJS.ProcessEnv;
}

/** Binds the built-in fitness checks, those that are not turned off; a host may bind more under the same token. */
export function fitnessModule({ settings, env }: FitnessModuleOptions): ContainerModule {
  return new ContainerModule(({ bind }) => {
    if (!settings.RUNPOD_SKIP_AUTO_SYSTEM_CHECKS)
      for (const check of resourceChecks(settings)) bind(ports.FitnessCheck).toConstantValue(check);
    if (!settings.RUNPOD_SKIP_GPU_CHECK && expectsGpu(settings)) {
      bind(ports.FitnessCheck).toConstantValue(new GpuCheck(env));
    }
  });
}

/** The checks of what every process needs: what they find is why a start has failed. */
export function resourceChecks(settings: FitnessSettings): readonly FitnessCheck[] {
  const { FLASH_MIN_TMP_BYTES: minBytes, FLASH_MIN_TMP_FILES: minFiles } = settings;
  return [
    // A process without a free descriptor can ask neither for memory nor for space, so this check is the first.
    new OpenFilesCheck(settings.FLASH_MIN_OPEN_FILES),
    new MemoryCheck(settings.FLASH_MIN_MEMORY_BYTES),
    new TemporarySpaceCheck(tmpdir(), { minBytes, minFiles }),
  ];
}
