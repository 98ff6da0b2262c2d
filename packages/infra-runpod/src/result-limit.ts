const mebibyte = 1024 * 1024;

/**
 * The most bytes the platform takes for a job's result, by the kind of job its id tells: ids of `/runsync` begin with "sync-", those of
 * `/run` end in a region such as "-u1" or "-e2" (docs/reference/protocol.md, Result). `undefined` for any other id.
 */
export function platformLimit(jobId: string): number | undefined {
  if (jobId.startsWith('sync-')) return 20 * mebibyte;
  return /-[a-z]\d+$/.test(jobId) ? 10 * mebibyte : undefined;
}
