/** One process that runs user code, as an operator sees it. */
export interface RunnerReport {
  /** A number that no other runner of this worker has had. */
  readonly id: number;
  /** Process id; `undefined` while it is being forked. */
  readonly pid: number | undefined;
  readonly state: 'starting' | 'idle' | 'busy';
  /** Id of its environment; `undefined`: the base interpreter. */
  readonly environment: string | undefined;
  /** Requests at work in it. */
  readonly requestIds: readonly string[];
  /** Class instances that live in it. */
  readonly instanceIds: readonly string[];
  /** Its proportional share of the memory it uses (PSS), in bytes; `undefined` where the system does not say. */
  readonly memoryBytes: number | undefined;
}
