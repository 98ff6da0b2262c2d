/**
 * Builds images: npm run build:images [-- flash|flash-cpu|flash-lb|flash-lb-cpu …] [--multi-platform]
 *
 * With docker where it is, by docker/bake.hcl; with buildah elsewhere. PYTHON_VERSION, VERSION, REGISTRY and NODE_IMAGE are read from the
 * environment, as is BASE_IMAGE, which takes the place of an image's usual base. --multi-platform builds the -cpu images for linux/amd64 and
 * linux/arm64; with buildah the other platform's programs run in qemu, and what is tagged is a list of images.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildArguments } from './lib/buildah.mjs';
import { installPrograms } from './lib/debian.mjs';
import { emulate } from './lib/emulation.mjs';
import { fail, root, show } from './lib/run.mjs';

/** As docker/bake.hcl has them. */
const platforms = ['linux/amd64', 'linux/arm64'];
const all = ['flash-cpu', 'flash-lb-cpu', 'flash', 'flash-lb'];
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'multi-platform': { type: 'boolean' } },
});
const targets = positionals.length === 0 ? all : positionals;
const unknown = targets.filter((target) => !all.includes(target));
if (unknown.length > 0) fail(`there is no image ${unknown.join(', ')}: there are ${all.join(', ')}`);

const has = (tool, ...args) => spawnSync(tool, args, { stdio: 'ignore' }).status === 0;
// A client alone builds nothing.
if (has('docker', 'buildx', 'inspect')) process.exit(withDocker());
const missing = installPrograms(['buildah', 'runc']);
if (missing !== undefined) fail(`neither docker nor buildah is here: ${missing}`);
for (const platform of values['multi-platform'] ? platforms : []) {
  const reason = emulate(platform);
  if (reason !== undefined) fail(`nothing can be built for ${platform} here: ${reason}`);
}
for (const target of targets) {
  console.log(`\n${target}`);
  if (withBuildah(target) !== 0) fail(`${target} could not be built`);
}

function withDocker() {
  const { BASE_IMAGE, NODE_IMAGE } = process.env;
  const set = (name, value) =>
    value === undefined ? [] : targets.flatMap((target) => ['--set', `${target}.args.${name}=${value}`]);
  const here = values['multi-platform'] ? [] : ['--set', '*.platform=', '--load'];
  const args = [...here, ...set('BASE_IMAGE', BASE_IMAGE), ...set('NODE_IMAGE', NODE_IMAGE), ...targets];
  return show('docker', ['buildx', 'bake', '--file', 'docker/bake.hcl', ...args]);
}

function withBuildah(target) {
  const given = { ...process.env };
  const version = given.PYTHON_VERSION ?? defaultOf('PYTHON_VERSION');
  if (!target.endsWith('-cpu')) given.BASE_IMAGE ??= defaultOf('GPU_BASE_IMAGE');
  const tag = `${given.REGISTRY ?? ''}${target}:py${version}-${given.VERSION ?? defaultOf('VERSION')}`;
  const args = [
    ...['--build-arg', `PYTHON_VERSION=${version}`],
    ...['BASE_IMAGE', 'NODE_IMAGE', 'VERSION'].flatMap((name) =>
      given[name] ? ['--build-arg', `${name}=${given[name]}`] : [],
    ),
    ...['--file', 'docker/Dockerfile', '--target', target],
  ];
  if (!values['multi-platform']) return show('buildah', buildArguments(tag, '.', args));
  // One of an earlier build would keep its images beside the new ones; an image of that name would be in the way.
  for (const remove of [['manifest', 'rm'], ['rmi']])
    spawnSync('buildah', [...remove, tag], { stdio: 'ignore' });
  // There is no base for graphics cards but of linux/amd64.
  const wanted = target.endsWith('-cpu') ? platforms : platforms.slice(0, 1);
  return show('buildah', buildArguments(tag, '.', args, wanted));
}

/** What bake.hcl says of a variable. */
function defaultOf(name) {
  const bake = readFileSync(join(root, 'docker/bake.hcl'), 'utf8');
  return new RegExp(`variable "${name}" \\{ default = "(.*?)" \\}`).exec(bake)[1];
}
