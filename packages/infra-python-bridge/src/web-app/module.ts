import { type Log, ports } from '@flash/worker-core';
import { ContainerModule } from 'inversify';
import { PythonAppServer, type PythonAppServerOptions } from './python-app-server.ts';

/** Binds the AppServer port to uvicorn in processes of its own. */
export function appServerModule(options: Omit<PythonAppServerOptions, 'log'>): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(ports.AppServer)
      .toResolvedValue((log: Log) => new PythonAppServer({ ...options, log }), [ports.Log])
      .inSingletonScope();
  });
}
