/** `@flash/infra-fitness`: whether this machine can serve. */
export { GpuCheck } from './gpu-check.ts';
export { MemoryCheck } from './memory-check.ts';
export { type FitnessModuleOptions, fitnessModule, resourceChecks } from './module.ts';
export { OpenFilesCheck } from './open-files-check.ts';
export { type FitnessSettings, fitnessSettingsSchema } from './settings.ts';
export { TemporarySpaceCheck } from './temporary-space-check.ts';
