import { type Executor, ports, RenewableExecutor, type WorkerStartError } from '@flash/worker-core';
import { Container, ContainerModule } from 'inversify';

/**
 * Binds the Executor port to one that can be replaced while it serves.
 *
 * @param parent - has what the module's executor takes.
 * @param makeModule - the module that binds one executor; called for the first one and for each that takes its place.
 * @param explain - the cause of a run's failure for which no process could be started.
 */
export function renewableExecutorModule(
  parent: Container,
  makeModule: () => ContainerModule,
  explain: (error: WorkerStartError) => Promise<unknown>,
): ContainerModule {
  const create = (): Executor => {
    const container = new Container({ parent });
    container.load(makeModule());
    return container.get<Executor>(ports.Executor);
  };
  return new ContainerModule(({ bind }) => {
    bind(ports.Executor)
      .toResolvedValue(() => new RenewableExecutor(create, explain))
      .inSingletonScope();
  });
}
