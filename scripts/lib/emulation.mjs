/** Running programs of another platform: the kernel hands them to qemu. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { installPrograms } from './debian.mjs';

/** qemu's names of processors, by images' names of platforms. */
const processors = { 'linux/amd64': 'x86_64', 'linux/arm64': 'aarch64' };
const here = { x64: 'linux/amd64', arm64: 'linux/arm64' }[process.arch];

/** Sees to it that programs of this platform run here. @returns why they don't; `undefined` when they do. */
export function emulate(platform) {
  if (platform === here) return undefined;
  const interpreter = `qemu-${processors[platform]}`;
  const registered = `/proc/sys/fs/binfmt_misc/${interpreter}`;
  if (existsSync(registered)) return undefined;
  const missing = installPrograms([`${interpreter}-static`, 'update-binfmts']);
  if (missing !== undefined) return missing;
  spawnSync('update-binfmts', ['--enable', interpreter], { stdio: 'ignore' });
  return existsSync(registered)
    ? undefined
    : `the kernel was not told of ${interpreter} (${registered}): a privileged "update-binfmts --enable ${interpreter}" does it`;
}
