import { describe, expect, it } from '@jest/globals';
import { FakeAppServer, FakeExecutor, FakeInstaller, RecordingLog } from '../testing/index.ts';
import { InstallDependencies } from './install-dependencies.ts';
import { InstallMissingModule } from './install-missing-module.ts';
import { NoVolumeCache } from './no-volume-cache.ts';
import { ServeApp } from './serve-app.ts';

const place = { host: '', port: 0, isIpv6: false, isShared: true, keepAliveMs: 0, drainMs: 0 };

/** Serves with a fake until the door has heard `events` things. */
async function serve(
  server: FakeAppServer,
  events: number,
  unknown: readonly string[] = [],
  missingFile?: () => string | undefined,
) {
  const installer = new FakeInstaller();
  for (const name of unknown) installer.unknown.add(name);
  const heard: string[] = [];
  const enough = Promise.withResolvers<void>();
  const hear = (event: string): void => {
    heard.push(event);
    if (heard.length === events) enough.resolve();
  };
  const installMissingModule = new InstallMissingModule(
    new InstallDependencies({
      python: installer,
      system: new FakeInstaller(),
      volumeCache: new NoVolumeCache(),
    }),
    new FakeExecutor({}),
  );
  const app = new ServeApp({ server, installMissingModule, log: new RecordingLog(), missingFile });
  const served = app.serve(place, {
    appReady: () => hear('ready'),
    appUnavailable: (error) => hear(error.message),
    releasePort: async () => hear('release'),
  });
  await enough.promise;
  return { heard, installed: installer.installed, end: () => app.close().then(() => served) };
}

describe('ServeApp', () => {
  it('tells the door how the app is', async () => {
    const server = new FakeAppServer({ failure: 'no database' }, 'ready');
    const { heard, end } = await serve(server, 2);
    server.crash('SIGSEGV');
    while (heard.length < 4) await new Promise((resolve) => setTimeout(resolve, 1));
    await end();
    expect(heard).toEqual(['no database', 'ready', "the app's process ended with SIGSEGV", 'ready']);
  });

  it('says that a file is missing rather than what came of it', async () => {
    let missing: string | undefined = 'there is no site.py';
    const { heard, end } = await serve(
      new FakeAppServer({ failure: 'no such' }, 'ready'),
      1,
      [],
      () => missing,
    );
    expect(heard).toEqual(['there is no site.py']);
    missing = undefined;
    await end();
  });

  it('installs what the app lacks, once', async () => {
    const { heard, installed, end } = await serve(
      new FakeAppServer({ missing: 'six' }, { missing: 'six' }, 'ready'),
      2,
    );
    await end();
    expect(heard).toEqual(['it lacks a module', 'ready']);
    expect([...installed]).toEqual(['six']);
  });

  it('goes on without a package that is not to be had', async () => {
    const { heard, end } = await serve(new FakeAppServer({ missing: 'none' }, 'ready'), 2, ['none']);
    await end();
    expect(heard).toEqual(['it lacks a module', 'ready']);
  });
});
