import type { Log, Metrics } from '@flash/worker-core';
import type { PythonBridgeSettings } from './settings.ts';
import type { HeadStart } from './zygote/head-start.ts';

/** What the executor of Python processes is made of. */
export interface PythonProcessExecutorOptions {
  /** Path of the Python interpreter that runs user code; it must have cloudpickle. */
  readonly python: string;
  /** Environment of user code, without the worker's own secrets. */
  readonly env: NodeJS.ProcessEnv;
  /** The interpreter's version must be this MAJOR.MINOR (`FLASH_PYTHON_VERSION`); any when left out. */
  readonly requiredVersion?: string | undefined;
  /** What was started ahead, with this interpreter and this environment. */
  readonly headStart?: HeadStart | undefined;
  readonly settings: PythonBridgeSettings;
  readonly log: Log;
  /** Absent: nothing is measured. */
  readonly metrics?: Metrics | undefined;
}
