import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

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
