/** `@flash/infra-python-bridge`: the Executor port on forked Python processes. */
export { pythonBridgeModule } from './module.ts';
export { PythonProcessExecutor, type PythonProcessExecutorOptions } from './python-process-executor.ts';
export { type PythonBridgeSettings, pythonBridgeSettingsSchema } from './settings.ts';
