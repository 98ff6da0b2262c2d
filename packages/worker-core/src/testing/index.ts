/** `@flash/worker-core/testing`: fakes of the ports, and the rules every implementation of a port keeps. */
export {
  type AppServerUnderTest,
  type AppUnderTest,
  appServerContract,
  lackingModule,
} from './app-server-contract.ts';
export type { ContractCase } from './contract-case.ts';
export {
  contractRemoteFunctions,
  endpointRouterContract,
  type RouterUnderTest,
} from './endpoint-router-contract.ts';
export { type EnvironmentsUnderTest, environmentsContract } from './environments-contract.ts';
export { contractFunctions, executorContract } from './executor-contract.ts';
export { FakeAppServer, type FakeAppStart } from './fake-app-server.ts';
export { FakeEndpointRouter, type FakeRemoteFunction } from './fake-endpoint-router.ts';
export { FakeEnvironments } from './fake-environments.ts';
export { type FakeCall, FakeExecutor, type FakeFunction } from './fake-executor.ts';
export { FakeInstaller } from './fake-installer.ts';
export { type FakeJob, FakeJobQueue } from './fake-job-queue.ts';
export { FakeManifestStore } from './fake-manifest-store.ts';
export { type FakeVolume, FakeVolumeCache } from './fake-volume-cache.ts';
export { type ContractPackages, installerContract } from './installer-contract.ts';
export { jobQueueContract, type QueueUnderTest, type SubmittedJob } from './job-queue-contract.ts';
export {
  contractManifests,
  type ManifestSituation,
  manifestStoreContract,
} from './manifest-store-contract.ts';
export { type LoggedEvent, RecordingLog } from './recording-log.ts';
export { RecordingMetrics } from './recording-metrics.ts';
export { type CacheUnderTest, type VolumeUnderTest, volumeCacheContract } from './volume-cache-contract.ts';
