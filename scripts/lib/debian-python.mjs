/** Pythons that this machine lacks, out of a Debian release that has them: each in a chroot that is made once. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { debian, installPrograms } from './debian.mjs';
import { root } from './run.mjs';

/** Which release has which version as its python3. */
const releases = { 3.14: 'forky' };
const packages = 'ca-certificates,python3,python3-pip,python3-venv';
const mostMs = 15 * 60_000;

/**
 * Makes a root directory of the release that has this version of Python, below the cache directory, unless it is there already.
 *
 * @returns `{ directory }`, or `{ problem }`, a sentence about what is missing.
 */
export function debianWithPython(version) {
  const release = releases[version];
  if (release === undefined) return { problem: 'no release of Debian is known to have it' };
  if (process.platform !== 'linux' || process.getuid() !== 0)
    return { problem: 'only root on Linux can enter a chroot of a Debian that has it' };
  const mounts = spawnSync('unshare', ['--mount', 'true'], { encoding: 'utf8' });
  if (mounts.status !== 0) return { problem: `this machine makes no mount namespace: ${reasonOf(mounts)}` };
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'flash-worker');
  const directory = join(cache, `debian-${release}`);
  if (existsSync(directory)) return { directory };
  const problem = installPrograms(['debootstrap']) ?? bootstrap(release, cache, directory);
  return problem === undefined ? { directory } : { problem };
}

/** The directory appears with all that belongs into it. @returns why it can't; `undefined` when it is there. */
function bootstrap(release, cache, directory) {
  mkdirSync(cache, { recursive: true });
  const unfinished = mkdtempSync(join(cache, 'unfinished-'));
  try {
    // An older debootstrap knows no script of a newer release; the one of unstable does for all.
    const script = ['sid', release]
      .map((name) => join('/usr/share/debootstrap/scripts', name))
      .findLast((path) => existsSync(path));
    // What debootstrap mounts is in a namespace of its own: nothing of it is left when it is ended.
    const made = spawnSync(
      'unshare',
      [
        ...['--mount', '--propagation', 'private', '--', 'debootstrap', '--variant=minbase'],
        '--force-check-gpg',
        ...[`--include=${packages}`, release, unfinished, debian().mirror, script],
      ],
      { encoding: 'utf8', timeout: mostMs, killSignal: 'SIGKILL', maxBuffer: 64 * 1024 * 1024 },
    );
    if (made.status !== 0) return `debootstrap made no ${release}: ${reasonOf(made)}`;
    // Release files of a Debian to come are valid for a week; a mirror may be older.
    writeFileSync(join(unfinished, 'etc/apt/apt.conf.d/90any-age'), 'Acquire::Check-Valid-Until "false";\n');
    chmodSync(unfinished, 0o755);
    renameSync(unfinished, directory);
  } catch (error) {
    // Another checkout may have made it meanwhile.
    if (!existsSync(directory)) return `debootstrap made no ${release}: ${error.message}`;
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return undefined;
}

function reasonOf({ error, signal, stdout, stderr }) {
  if (error !== undefined)
    return error.code === 'ETIMEDOUT' ? `not within ${mostMs / 60_000} minutes` : error.message;
  if (signal !== null) return `it was ended by ${signal}`;
  return `${stdout}\n${stderr}`.trim().split('\n').at(-1);
}

/** A command line that runs another one in such a directory, with this checkout bound into it. */
export function inChroot(directory, file, args) {
  return [join(root, 'scripts/in-chroot.sh'), [directory, file, ...args]];
}
