import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { root } from './run.mjs';

const script = join(root, 'scripts/in-chroot.sh');
const mounts = () => readFileSync('/proc/self/mountinfo', 'utf8');
const canMount =
  process.getuid() === 0 && spawnSync('unshare', ['--mount', 'true'], { stdio: 'ignore' }).status === 0;
if (!canMount) process.stderr.write('in-chroot.sh is not tested: that takes root and mount namespaces\n');

// This machine's own root directory stands for another one: what is mounted over itself looks as it did.
(canMount ? it : it.skip)(
  'runs a command with its process, directory and environment; no mount is left',
  async () => {
    const before = mounts();
    const line = 'echo "$$ $PWD $GIVEN $(grep -c . /proc/self/mountinfo)"; read -r line; kill -9 $$';
    const child = spawn(script, ['/', 'sh', '-c', line], {
      cwd: join(root, 'scripts'),
      env: { ...process.env, GIVEN: 'word' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const [said] = await once(child.stdout, 'data');
    const [pid, directory, given, count] = String(said).trim().split(' ');
    expect([Number(pid), directory, given]).toEqual([child.pid, join(root, 'scripts'), 'word']);
    expect(Number(count)).toBeGreaterThan(before.trim().split('\n').length);
    expect(mounts()).toBe(before);
    child.stdin.end('\n');
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
    expect(mounts()).toBe(before);
  },
);
