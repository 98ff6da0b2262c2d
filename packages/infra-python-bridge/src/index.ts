/** `@flash/infra-python-bridge`: the Executor port on forked Python processes. */

export type { PythonProcessExecutorOptions } from './executor-options.ts';
export { pythonBridgeModule } from './module.ts';
export { PythonProcessExecutor } from './python-process-executor.ts';
export { type PreimportChoice, type PythonBridgeSettings, pythonBridgeSettingsSchema } from './settings.ts';
export { appServerModule } from './web-app/module.ts';
export { PythonAppServer, type PythonAppServerOptions } from './web-app/python-app-server.ts';
export { type AppServerSettings, appServerSettingsSchema } from './web-app/settings.ts';
