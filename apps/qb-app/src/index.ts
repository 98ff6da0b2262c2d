/** `@flash/qb-app`: the queue entry. */
export { type Flags, readFlags } from './flags.ts';
export { type LocalResult, type LocalRun, runLocalJob } from './run-local-job.ts';
