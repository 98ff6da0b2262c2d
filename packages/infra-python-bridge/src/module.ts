import { type Log, type Metrics, ports } from '@flash/worker-core';
import { ContainerModule } from 'inversify';
import type { PythonProcessExecutorOptions } from './executor-options.ts';
import { PythonProcessExecutor } from './python-process-executor.ts';

// A host may measure nothing.
const metricsIfBound = { serviceIdentifier: ports.Metrics, isMultiple: false, optional: true } as const;

/** Binds the Executor port to Python processes. */
export function pythonBridgeModule(
  options: Omit<PythonProcessExecutorOptions, 'log' | 'metrics'>,
): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(ports.Executor)
      .toResolvedValue(
        (log: Log, metrics: Metrics | undefined) => new PythonProcessExecutor({ ...options, log, metrics }),
        [ports.Log, metricsIfBound],
      )
      .inSingletonScope();
  });
}
