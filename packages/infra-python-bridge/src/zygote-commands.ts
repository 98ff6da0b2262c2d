/** What a zygote is told on descriptor 3, a line of JSON each. The first are its options. */

export interface ZygoteStart {
  /** Directory for sockets, pipes and modules; private to the supervisor. */
  readonly directory: string;
  /** Have runners tell what user code imports. */
  readonly recordImports: boolean;
  /** A file that is there once all of the environment is. */
  readonly wholeMark: string | undefined;
  /** Be ready before all is imported that runners need: the first one imports by itself what is not there yet. */
  readonly isLean: boolean;
  readonly preimport: Preimport;
}

/** Modules to import before the first fork, and what that may take. */
export interface Preimport {
  readonly modules: readonly string[];
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

export function optionsLine({ directory, recordImports, wholeMark, isLean, preimport }: ZygoteStart): string {
  return line({
    lean: isLean,
    directory,
    record_imports: recordImports,
    whole_mark: wholeMark ?? null,
    preimport: preimport.modules,
    preimport_seconds: preimport.timeoutMs / 1000,
    preimport_bytes: preimport.maxBytes,
  });
}

export function forkLine(runner: number, marker: Buffer, maxResponseBytes: number): string {
  return line({
    fork: runner,
    marker: marker.toString('hex'),
    max_response_bytes: maxResponseBytes,
  });
}

export function killLine(runner: number): string {
  return line({ kill: runner });
}

function line(command: object): string {
  return `${JSON.stringify(command)}\n`;
}
