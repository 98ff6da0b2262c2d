/** `@flash/infra-fitness`: whether this machine can serve. */
export { GpuCheck } from './gpu-check.ts';
export { MemoryCheck } from './memory-check.ts';
export { type FitnessModuleOptions, fitnessModule } from './module.ts';
export { type FitnessSettings, fitnessSettingsSchema } from './settings.ts';
export { TemporarySpaceCheck } from './temporary-space-check.ts';
