import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newEndMark } from '../output/output-pipe.ts';
import { pythonBridgeSettingsSchema } from '../settings.ts';
import { forkLine, spawnZygote, startLine } from './commands.ts';

/** The number of the runner that the head start forks. */
export const firstRunnerId = 1;

/**
 * The first of a supervisor's processes and files, made before the worker's code is loaded: a zygote that was told to fork the first
 * runner, and the socket where that reports.
 */
export interface HeadStart {
  readonly zygote: ChildProcess;
  readonly directory: string;
  readonly server: Server;
  /** Connections of runners that have reported already. */
  readonly early: readonly Socket[];
  /** See {@link newEndMark}. */
  readonly endMark: Buffer;
}

/**
 * Starts a zygote and asks it for the first runner. Loads next to nothing.
 *
 * @param python - path of the interpreter.
 * @param env - environment of user code.
 * @param settings - the worker's environment, in which an empty variable counts as absent.
 * @returns `undefined` when a setting is wrong: the worker reports that when it reads all of them.
 */
export function startAhead(
  python: string,
  env: NodeJS.ProcessEnv,
  settings: NodeJS.ProcessEnv,
): HeadStart | undefined {
  const { shape } = pythonBridgeSettingsSchema;
  const read = <K extends keyof typeof shape>(name: K) => shape[name].read(settings[name] || undefined);
  const maxResponseBytes = read('FLASH_MAX_RESPONSE_BYTES');
  const maxBytesLeft = read('FLASH_RUNNER_MAX_BYTES_LEFT');
  const maxDescriptorsLeft = read('FLASH_RUNNER_MAX_DESCRIPTORS_LEFT');
  if ('problem' in maxResponseBytes || 'problem' in maxBytesLeft || 'problem' in maxDescriptorsLeft)
    return undefined;
  const reuse = settings.FLASH_RUNNER_REUSE || shape.FLASH_RUNNER_REUSE.default;
  const directory = mkdtempSync(join(tmpdir(), 'flash-'));
  const early: Socket[] = [];
  // The connections are paused until RunnerSocket reads them.
  const server = createServer({ pauseOnConnect: true }, (socket) => early.push(socket));
  server.on('error', () => {});
  server.listen(join(directory, 'supervisor.sock'));
  const endMark = newEndMark();
  const zygote = spawnZygote(python, env);
  const preimport = { modules: [], timeoutMs: 0, maxBytes: 0 };
  const recordImports = (settings.FLASH_PREIMPORT || shape.FLASH_PREIMPORT.default) === 'auto';
  const options = { directory, recordImports, completionFile: undefined, isLean: true, preimport };
  const control = zygote.stdio[3] as unknown as Socket | undefined;
  control?.on('error', () => {});
  control?.write(
    startLine(options) +
      forkLine(firstRunnerId, endMark, {
        maxResponseBytes: maxResponseBytes.value as number,
        reuses: reuse === 'clean',
        maxBytesLeft: maxBytesLeft.value as number,
        maxDescriptorsLeft: maxDescriptorsLeft.value as number,
      }),
  );
  return { zygote, directory, server, early, endMark };
}

/** Ends a head start that no executor has taken over. */
export function abandon({ zygote, directory, server, early }: HeadStart): void {
  zygote.kill('SIGKILL');
  for (const socket of early) socket.destroy();
  server.close();
  rmSync(directory, { recursive: true, force: true });
}
