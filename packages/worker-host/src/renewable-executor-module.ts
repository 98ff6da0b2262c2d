import { type Executor, ports, RenewableExecutor } from '@flash/worker-core';
import { Container, ContainerModule } from 'inversify';

/**
 * Binds the Executor port to one that can be replaced while it serves.
 *
 * @param parent - has what the module's executor takes.
 * @param makeModule - the module that binds one executor; called for the first one and for each that takes its place.
 */
export function renewableExecutorModule(
  parent: Container,
  makeModule: () => ContainerModule,
): ContainerModule {
  const create = (): Executor => {
    const container = new Container({ parent });
    container.load(makeModule());
    return container.get<Executor>(ports.Executor);
  };
  return new ContainerModule(({ bind }) => {
    bind(ports.Executor)
      .toResolvedValue(() => new RenewableExecutor(create))
      .inSingletonScope();
  });
}
