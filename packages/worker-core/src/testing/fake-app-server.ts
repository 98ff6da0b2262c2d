import { AppError } from '../errors/app-error.ts';
import type { AppPlace, AppServer, AppServerListener } from '../ports/app-server.ts';

/** What comes of one start of a fake app. */
export type FakeAppStart = 'ready' | { readonly failure: string } | { readonly missing: string };

/** AppServer without an app: each start takes the next of the given ends, the last one for good. */
export class FakeAppServer implements AppServer {
  readonly #starts: FakeAppStart[];
  readonly #closed = Promise.withResolvers<void>();
  #crash: ((how: string) => void) | undefined;
  #isClosed = false;

  constructor(...starts: FakeAppStart[]) {
    this.#starts = starts;
  }

  async serve(place: AppPlace, listener: AppServerListener): Promise<void> {
    while (!this.#isClosed) {
      const start = this.#starts.length > 1 ? this.#starts.shift() : this.#starts[0];
      if (start === 'ready') await this.#serveOnce(place, listener);
      else if (start !== undefined && 'missing' in start && (await listener.missingModule(start.missing)))
        continue;
      else
        listener.unavailable(
          new AppError(start !== undefined && 'failure' in start ? start.failure : 'it lacks a module'),
        );
      // Like every AppServer, it waits before it tries again.
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** Has the app end as a crash would. */
  crash(how: string): void {
    this.#crash?.(how);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#closed.resolve();
  }

  async #serveOnce({ isShared }: AppPlace, listener: AppServerListener): Promise<void> {
    if (!isShared) await listener.releasePort();
    listener.ready();
    const crashed = new Promise<string>((resolve) => {
      this.#crash = resolve;
    });
    const how = await Promise.race([crashed, this.#closed.promise]);
    if (how !== undefined) listener.unavailable(new AppError(`the app's process ended with ${how}`));
  }
}
