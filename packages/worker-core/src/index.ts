/** `@flash/worker-core`: the protocol, the ports and the use cases of the worker. */
export { AppError } from './errors/app-error.ts';
export { InstallError, type InstallFailure } from './errors/install-error.ts';
export { InvalidRequestError } from './errors/invalid-request-error.ts';
export { SettingsError } from './errors/settings-error.ts';
export { UnfitError } from './errors/unfit-error.ts';
export { WorkerBusyError } from './errors/worker-busy-error.ts';
export { WorkerClosedError } from './errors/worker-closed-error.ts';
export { WorkerError } from './errors/worker-error.ts';
export { WorkerStartError } from './errors/worker-start-error.ts';
export { HeadTailBuffer } from './output/head-tail-buffer.ts';
export { joinBytes } from './output/join-bytes.ts';
export type { RequestEvent } from './output/request-log.ts';
export { SecretRedactor } from './output/secret-redactor.ts';
export type { AppPlace, AppServer, AppServerListener } from './ports/app-server.ts';
export type { AppSource } from './ports/app-source.ts';
export type { EndpointRouter, RemoteCallOptions, RemoteEndpoint } from './ports/endpoint-router.ts';
export type { Environment, EnvironmentLease, Environments } from './ports/environments.ts';
export type {
  Execution,
  Executor,
  HandlerAnswer,
  HandlerFailure,
  RunEnd,
  RunOptions,
} from './ports/executor.ts';
export type { FitnessCheck } from './ports/fitness-check.ts';
export type { InstalledChange, Installer, InstallOptions } from './ports/installer.ts';
export type { Job, JobBody, JobOutcome, JobQueue } from './ports/job-queue.ts';
export type { Log, LogFields, LogLevel } from './ports/log.ts';
export type { ManifestStore } from './ports/manifest-store.ts';
export {
  type CounterName,
  type Exposition,
  type GaugeName,
  type HistogramName,
  type LabelValues,
  type MetricDefinition,
  type MetricName,
  type Metrics,
  metricCatalogue,
  noMetrics,
} from './ports/metrics.ts';
export { ports } from './ports/ports.ts';
export type { RunnerReport } from './ports/runner-report.ts';
export {
  type BeginSpanOptions,
  noSpan,
  noTracer,
  PassingSpan,
  type Span,
  type SpanAttributes,
  type SpanName,
  type TraceContext,
  type Tracer,
} from './ports/tracer.ts';
export type { CachePart, FetchStages, VolumeCache } from './ports/volume-cache.ts';
export {
  decodeFunctionCall,
  functionCallFrom,
  functionCallOfJob,
  rehearseDecoding,
} from './protocol/decode-function-call.ts';
export { EncodedResponse, type EncodedResult, type ResponseParts } from './protocol/encoded-response.ts';
export { type FlashManifest, flashManifestSchema, type ManifestResource } from './protocol/flash-manifest.ts';
export type {
  Call,
  ClassMethodCall,
  DeployedCode,
  FunctionCall,
  HandlerCall,
  PlainFunctionCall,
  RequestPayload,
} from './protocol/function-call.ts';
export {
  encodedFields,
  type FunctionRequest,
  type FunctionRequestInput,
  functionRequestSchema,
} from './protocol/function-request.ts';
export {
  type FunctionResponse,
  functionResponseSchema,
  type InstanceInfo,
} from './protocol/function-response.ts';
export { jobOutputJson, jobResultJson } from './protocol/job-result.ts';
export { parseJson, withoutByteOrderMark } from './protocol/parse-json.ts';
export { parseQueueJob, type QueueJob, readQueueJob } from './protocol/queue-job.ts';
export { elementsOf, isDeeperThan } from './protocol/scan-json.ts';
export { readTraceContext } from './protocol/trace-context.ts';
export { validationMessage } from './protocol/validation-message.ts';
export { CheckFitness } from './usecases/check-fitness.ts';
export { CoalescingInstaller } from './usecases/coalescing-installer.ts';
export {
  type ExecuteOptions,
  ExecuteRequest,
  type ExecuteRequestDependencies,
} from './usecases/execute-request.ts';
export {
  InstallDependencies,
  type InstallDependenciesPorts,
  type PreparedPackages,
  type WantedPackages,
} from './usecases/install-dependencies.ts';
export { InstallMissingModule } from './usecases/install-missing-module.ts';
export type { JobListeners, JobRunner } from './usecases/job-runner.ts';
export { NoVolumeCache } from './usecases/no-volume-cache.ts';
export {
  type CallPlace,
  PlaceCall,
  type PlaceCallDependencies,
  type PlatformNames,
} from './usecases/place-call.ts';
export { PromisedPackages } from './usecases/promised-packages.ts';
export { RenewableExecutor } from './usecases/renewable-executor.ts';
export { ReportBootFailure } from './usecases/report-boot-failure.ts';
export { RunFunctionJob } from './usecases/run-function-job.ts';
export {
  RunHandlerJob,
  type RunHandlerJobDependencies,
  type WorkerIdentity,
} from './usecases/run-handler-job.ts';
export { RunWithoutHandler } from './usecases/run-without-handler.ts';
export { type FrontDoor, ServeApp, type ServeAppDependencies } from './usecases/serve-app.ts';
export { type ServeEnd, ServeJobs, type ServeJobsDependencies } from './usecases/serve-jobs.ts';
export { SharedWork, type WorkContext } from './usecases/shared-work.ts';
export { WarmUp } from './usecases/warm-up.ts';
export { withSpan } from './usecases/with-span.ts';
export { workerVersion } from './version.ts';
