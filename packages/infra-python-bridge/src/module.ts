import { type Log, ports } from '@flash/worker-core';
import { ContainerModule } from 'inversify';
import type { PythonProcessExecutorOptions } from './executor-options.ts';
import { PythonProcessExecutor } from './python-process-executor.ts';

/** Binds the Executor port to Python processes. */
export function pythonBridgeModule(options: Omit<PythonProcessExecutorOptions, 'log'>): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(ports.Executor)
      .toResolvedValue((log: Log) => new PythonProcessExecutor({ ...options, log }), [ports.Log])
      .inSingletonScope();
  });
}
