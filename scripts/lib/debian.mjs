import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Packages of programs that are not called like them. */
const packages = {
  'qemu-aarch64-static': 'qemu-user-static',
  'qemu-x86_64-static': 'qemu-user-static',
  'update-binfmts': 'binfmt-support',
};

/** Installs what of these programs is missing. @returns why it can't; `undefined` when all are there. */
export function installPrograms(programs) {
  const isThere = (program) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
  const missing = programs.filter((program) => !isThere(program));
  if (missing.length === 0) return undefined;
  if (process.getuid() !== 0 || !existsSync('/etc/debian_version'))
    return `${missing.join(', ')} not found, and only root on Debian can install them`;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [
    ['update', '-qq'],
    [
      'install',
      '-qq',
      '--yes',
      '--no-install-recommends',
      ...missing.map((program) => packages[program] ?? program),
    ],
  ])
    if (spawnSync('apt-get', args, { env, stdio: 'ignore' }).status !== 0)
      return `apt-get ${args.join(' ')} failed`;
  return undefined;
}

/** The release of this machine, and where its packages come from. */
export function debian() {
  const release = /^VERSION_CODENAME=(\w+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  const more = '/etc/apt/sources.list.d';
  const lists = [
    '/etc/apt/sources.list',
    ...(existsSync(more) ? readdirSync(more).map((name) => join(more, name)) : []),
  ];
  const sources = lists.filter((path) => existsSync(path)).map((path) => readFileSync(path, 'utf8'));
  // Other sources of packages may stand before Debian's own.
  const mirror = /^(?:URIs:|deb(?:\s+\[.*?\])?)\s+(https?:\/\/\S+\/debian\/?)\s*(?:\s\S.*)?$/m.exec(
    sources.join('\n'),
  )?.[1];
  return { release, mirror: mirror ?? 'http://deb.debian.org/debian' };
}
