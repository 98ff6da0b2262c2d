/** `@flash/worker-core/testing`: fakes of the ports, and the rules every implementation of a port keeps. */
export type { ContractCase } from './contract-case.ts';
export { contractFunctions, executorContract } from './executor-contract.ts';
export { type FakeCall, FakeExecutor, type FakeFunction } from './fake-executor.ts';
export { FakeInstaller } from './fake-installer.ts';
export { type FakeJob, FakeJobQueue } from './fake-job-queue.ts';
export { FakeVolumeCache } from './fake-volume-cache.ts';
export { type ContractPackages, installerContract } from './installer-contract.ts';
export { jobQueueContract, type QueueUnderTest, type SubmittedJob } from './job-queue-contract.ts';
export { type LoggedEvent, RecordingLog } from './recording-log.ts';
