/** The request as it came. */
export interface RequestPayload {
  /** JSON text whose root, or whose `input` member, is the FunctionRequest. */
  readonly bytes: Uint8Array;
  readonly requestAt: 'root' | 'input';
  /** The FunctionRequest itself, parsed, with its wire names. */
  readonly request: object;
}

/** A module of the deployed app. */
export interface DeployedCode {
  /** Dotted name, as it is imported. */
  readonly module: string;
  /** Absolute path of the app; first on the search path. */
  readonly directory: string;
}

interface CallBase {
  /** Python source; `undefined` means the code is part of the deployed app. */
  readonly code: string | undefined;
  /** Where the deployed app has the code; told by the manifest, never by a request. */
  readonly deployed?: DeployedCode | undefined;
  readonly dependencies: readonly string[];
  readonly systemDependencies: readonly string[];
  /** uv and nala, both installs side by side; else pip and apt-get, one after the other. */
  readonly accelerateDownloads: boolean;
  readonly serializationFormat: 'cloudpickle' | 'json';
  /** Handed to Python as it came: the supervisor neither decodes arguments nor prints them again. */
  readonly payload: RequestPayload;
}

/** Run one function. */
export interface PlainFunctionCall extends CallBase {
  readonly kind: 'function';
  readonly functionName: string;
}

/** Run one method of an instance, created first when need be. */
export interface ClassMethodCall extends CallBase {
  readonly kind: 'class';
  readonly className: string;
  readonly methodName: string;
  readonly instanceId: string | undefined;
  readonly createNewInstance: boolean;
}

/** A validated request in the worker's own terms. */
export type FunctionCall = PlainFunctionCall | ClassMethodCall;

/** Call the handler of a generated file with the whole job: plain JSON in, plain JSON out (docs/reference/protocol.md, Modes). */
export interface HandlerCall {
  readonly kind: 'handler';
  /** Absolute path of the Python file that defines `handler`. */
  readonly file: string;
  readonly serializationFormat: 'json';
  readonly payload: RequestPayload;
}

/** Whatever an executor can run. */
export type Call = FunctionCall | HandlerCall;
