/** Tokens by which adapters are bound and injected; one for every port. */
export const ports = {
  Executor: Symbol.for('@flash/Executor'),
  PythonInstaller: Symbol.for('@flash/PythonInstaller'),
  SystemInstaller: Symbol.for('@flash/SystemInstaller'),
  AppServer: Symbol.for('@flash/AppServer'),
  ManifestStore: Symbol.for('@flash/ManifestStore'),
  EndpointRouter: Symbol.for('@flash/EndpointRouter'),
  AppSource: Symbol.for('@flash/AppSource'),
  /** Bound where each set of Python packages has an environment of its own; else packages go into the one interpreter. */
  Environments: Symbol.for('@flash/Environments'),
  VolumeCache: Symbol.for('@flash/VolumeCache'),
  /** Bound any number of times: every one is asked. */
  FitnessCheck: Symbol.for('@flash/FitnessCheck'),
  Log: Symbol.for('@flash/Log'),
  Metrics: Symbol.for('@flash/Metrics'),
  Tracer: Symbol.for('@flash/Tracer'),
} as const;
