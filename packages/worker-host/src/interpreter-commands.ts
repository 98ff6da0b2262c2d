import {
  existsSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  realpathSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';

/** What a shell searches when there is no PATH. */
const usualPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** Under these names programs start "the" Python. */
const names = ['python', 'python3'];

/**
 * An environment in which programs find the interpreter that runs user code as `python` and `python3`, and the commands of the packages that
 * are installed for it, before all others: what an activated virtual environment does.
 *
 * @param python - path of the interpreter.
 */
export function withCommandsOf(python: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const path = resolve(python);
  const bin = dirname(path);
  const { VIRTUAL_ENV: _, ...others } = env;
  const isVirtual = existsSync(join(bin, '../pyvenv.cfg'));
  const directories = isVirtual ? [bin, ...targetCommands(env)] : systemCommands(path, env);
  const rest = (env.PATH || usualPath)
    .split(delimiter)
    .filter((directory) => !directories.includes(directory));
  return {
    ...others,
    ...(isVirtual && { VIRTUAL_ENV: dirname(bin) }),
    PATH: [...directories, ...rest].join(delimiter),
  };
}

/** Where installers put commands for an interpreter that is no virtual environment's. */
function systemCommands(path: string, env: NodeJS.ProcessEnv): readonly string[] {
  const bin = dirname(path);
  const userBase = env.PYTHONUSERBASE || join(env.HOME || homedir(), '.local');
  const directories = [
    // Debian's Python installs beside what belongs to the distribution.
    ...(bin === '/usr/bin' ? ['/usr/local/bin'] : []),
    bin,
    // pip's place when it may not write to the interpreter's own.
    join(userBase, 'bin'),
    ...targetCommands(env),
  ];
  const links = names.every((name) => isFirst(name, path, directories)) ? undefined : linksTo(path, env);
  return links === undefined ? directories : [links, ...directories];
}

/**
 * Where installers put the commands of packages that lie on the search path of modules: with `--target` below the packages, with `--prefix`
 * beside `lib/python3.12/site-packages`.
 */
function targetCommands({ PYTHONPATH = '' }: NodeJS.ProcessEnv): readonly string[] {
  return PYTHONPATH.split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => resolve(directory).replace(/\/lib\/python[\d.]+\/site-packages$/, ''))
    .map((directory) => join(directory, 'bin'));
}

/** Whether a name leads to this interpreter. */
function isFirst(name: string, path: string, directories: readonly string[]): boolean {
  const found = directories
    .map((directory) => join(directory, name))
    .find((candidate) => existsSync(candidate));
  return found !== undefined && realpathSync(found) === realpathSync(path);
}

/** A directory with the usual names of an interpreter that has others, such as `/usr/bin/python3.12`; `undefined` where none can be made. */
function linksTo(path: string, { TMPDIR }: NodeJS.ProcessEnv): string | undefined {
  const uid = process.getuid?.();
  const own = join(TMPDIR || tmpdir(), `flash-python-${uid}`);
  const directory = join(own, path.replaceAll('/', '_'));
  try {
    for (const level of [own, directory]) makeDirectory(level);
    // A directory that another user has put there may hold another Python later.
    const { uid: owner, mode } = lstatSync(own);
    if (owner !== uid || (mode & 0o22) !== 0) return undefined;
    for (const name of names) link(join(directory, name), path);
    return directory;
  } catch {
    return undefined;
  }
}

/** Without its parents: Node would try to make those below /proc for ever. */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function link(name: string, path: string): void {
  try {
    if (readlinkSync(name) === path) return;
    unlinkSync(name);
  } catch {
    // The command is not there.
  }
  try {
    symlinkSync(path, name);
  } catch (error) {
    // Another worker has just made it.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
