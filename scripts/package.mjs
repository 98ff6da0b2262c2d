/**
 * Makes an archive that runs in any image that has Python 3.10 or newer: npm run package [-- --platform linux-x64|linux-arm64] [-- --out DIRECTORY]
 *
 * It holds both apps, Node, flash_runner and cloudpickle; unpacked anywhere, `flash-worker/bin/flash-worker` starts the app that
 * FLASH_ENDPOINT_TYPE names, and `--self-test` says whether it works there. Default: for this machine, into archives/.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { fail, root, run } from './lib/run.mjs';

const platforms = ['linux-x64', 'linux-arm64'];
const { values } = parseArgs({
  options: {
    platform: { type: 'string', default: `${process.platform}-${process.arch}` },
    out: { type: 'string', default: join(root, 'archives') },
  },
});
const { platform, out } = values;
if (!platforms.includes(platform))
  fail(`--platform is ${platform}; there are archives for ${platforms.join(', ')}`);

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const nodeVersion = createRequire(import.meta.url)('node/package.json').version;
const work = mkdtempSync(join(tmpdir(), 'flash-package-'));
try {
  const tree = join(work, 'flash-worker');
  run('bundling the apps', process.execPath, [join(root, 'scripts/bundle.mjs'), join(tree, 'app')]);
  addNode(join(tree, 'bin'));
  copyFileSync(join(root, 'docker/flash-worker'), join(tree, 'bin/flash-worker'));
  chmodSync(join(tree, 'bin/flash-worker'), 0o755);
  addBundledPackages(join(tree, 'app/python/bundled_packages'));
  const archive = join(resolve(out), `flash-worker-${version}-${platform}.tar.gz`);
  mkdirSync(out, { recursive: true });
  run('packing', 'tar', [
    ...['--create', '--gzip', '--file', archive, '--directory', work],
    ...['--owner=0', '--group=0', '--sort=name', 'flash-worker'],
  ]);
  console.log(`${archive} (${(statSync(archive).size / 1e6).toFixed(1)} MB, Node ${nodeVersion})`);
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** Node for that platform, out of the package that has it, without the symbols that only a debugger reads. */
function addNode(directory) {
  const [packed] = JSON.parse(
    run('fetching Node', 'npm', [
      'pack',
      '--json',
      '--pack-destination',
      work,
      `node-${platform}@${nodeVersion}`,
    ]),
  );
  mkdirSync(directory, { recursive: true });
  const file = join(work, packed.filename.replace('@', '').replace('/', '-'));
  run('unpacking Node', 'tar', ['--extract', '--file', file, '--directory', work, 'package/bin/node']);
  const node = join(directory, 'node');
  copyFileSync(join(work, 'package/bin/node'), node);
  chmodSync(node, 0o755);
  // Of another platform, or where there is no such tool: it stays as it is.
  spawnSync('strip', [node], { stdio: 'ignore' });
}

/** What an interpreter must have, for one that has not. */
function addBundledPackages(directory) {
  run('adding cloudpickle', join(root, '.venv/bin/uv'), [
    ...['pip', 'install', '--quiet', '--no-deps', '--target', directory],
    ...['--constraint', join(root, 'docker/requirements.lock'), '--python', join(root, '.venv/bin/python')],
    'cloudpickle',
  ]);
  rmSync(join(directory, 'bin'), { recursive: true, force: true });
}
