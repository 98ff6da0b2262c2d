/** `@flash/worker-core`: the protocol, the ports and the use cases of the worker. */
export { InstallError, type InstallFailure } from './errors/install-error.ts';
export { InvalidRequestError } from './errors/invalid-request-error.ts';
export { SettingsError } from './errors/settings-error.ts';
export { WorkerBusyError } from './errors/worker-busy-error.ts';
export { WorkerClosedError } from './errors/worker-closed-error.ts';
export { WorkerError } from './errors/worker-error.ts';
export { WorkerStartError } from './errors/worker-start-error.ts';
export type { Execution, Executor, RunEnd, RunOptions } from './ports/executor.ts';
export type { InstalledChange, Installer, InstallOptions } from './ports/installer.ts';
export type { Job, JobOutcome, JobQueue } from './ports/job-queue.ts';
export type { Log, LogFields, LogLevel } from './ports/log.ts';
export { ports } from './ports/ports.ts';
export type { VolumeCache } from './ports/volume-cache.ts';
export { decodeFunctionCall, functionCallFrom } from './protocol/decode-function-call.ts';
export { EncodedResponse, type EncodedResult, type ResponseParts } from './protocol/encoded-response.ts';
export { type FlashManifest, flashManifestSchema } from './protocol/flash-manifest.ts';
export type {
  ClassMethodCall,
  FunctionCall,
  PlainFunctionCall,
  RequestPayload,
} from './protocol/function-call.ts';
export {
  type FunctionRequest,
  type FunctionRequestInput,
  functionRequestSchema,
} from './protocol/function-request.ts';
export {
  type FunctionResponse,
  functionResponseSchema,
  type InstanceInfo,
} from './protocol/function-response.ts';
export { validationMessage } from './protocol/validation-message.ts';
export { CoalescingInstaller } from './usecases/coalescing-installer.ts';
export { ExecuteRequest, type ExecuteOptions, type ExecuteRequestParts } from './usecases/execute-request.ts';
export { HeadTailBuffer } from './output/head-tail-buffer.ts';
export { InstallDependencies, type WantedPackages } from './usecases/install-dependencies.ts';
export { joinBytes } from './output/join-bytes.ts';
export { NoVolumeCache } from './usecases/no-volume-cache.ts';
export type { RequestEvent } from './output/request-log.ts';
export { RunJob } from './usecases/run-job.ts';
export { SecretRedactor } from './output/secret-redactor.ts';
export { ServeJobs } from './usecases/serve-jobs.ts';
