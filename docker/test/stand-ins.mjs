/** Images that stand for python:<version>-slim and node:24, where no registry of images can be reached. */
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { debian } from '../../scripts/lib/debian.mjs';
import { debianWithPython } from '../../scripts/lib/debian-python.mjs';
import { root } from '../../scripts/lib/run.mjs';
import { buildImage, hasImage, output, sh } from './engine.mjs';

const base = 'localhost/flash-test/base';
const node = 'localhost/flash-test/node:24';

/**
 * @param prefix - what an interpreter was installed to on this machine, to be used instead of Debian's.
 * @returns names of the images, and the version of their Python.
 */
export function makeStandIns(prefix) {
  const directory = mkdtempSync(join(tmpdir(), 'flash-stand-ins-'));
  let image = base;
  try {
    if (!hasImage(base)) makeBase(join(directory, 'base'));
    if (!hasImage(node)) makeNode(join(directory, 'node'));
    if (prefix !== undefined) image = makeBaseWith(prefix);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  const python = output(image, 'python3', '--version');
  return { base: image, node, pythonVersion: /\d+\.\d+/.exec(python)[0] };
}

/**
 * A base image with a Python that this machine's Debian lacks: the release of Debian that has it.
 *
 * @returns its name. @throws Error when that release can't be had.
 */
export function makeBaseOfPython(version) {
  const image = `${base}-py${version}`;
  if (hasImage(image)) return image;
  const { directory, problem } = debianWithPython(version);
  if (problem !== undefined) throw new Error(`no Python ${version}: ${problem}`);
  importImage(directory, image);
  return image;
}

/** Debian with Python and pip, as those images are. */
function makeBase(directory) {
  const { release, mirror } = debian();
  const packages = 'ca-certificates,python3,python3-pip';
  sh('debootstrap', ['--variant=minbase', `--include=${packages}`, release, directory, mirror]);
  importImage(directory, base);
}

/** Makes an image of a root directory, which stays as it is. */
function importImage(directory, image) {
  const left = [
    // In those images pip may install for everybody.
    './usr/lib/python3*/EXTERNALLY-MANAGED',
    ...['./var/cache/apt/archives/*.deb', './var/lib/apt/lists/*', './proc/*', './sys/*', './tmp/*'],
  ];
  const excluded = left.map((pattern) => `'--exclude=${pattern}'`).join(' ');
  const line = `set -o pipefail; tar --create --one-file-system ${excluded} --directory "$1" . | podman import - "$2"`;
  sh('bash', ['-c', line, '-', directory, image]);
}

/** The same with another Python before Debian's, where python:<version>-slim has it. */
function makeBaseWith(prefix) {
  const image = `${base}-${basename(prefix)}`;
  if (hasImage(image)) return image;
  const directory = mkdtempSync(join(tmpdir(), 'flash-stand-in-'));
  try {
    cpSync(prefix, join(directory, 'prefix'), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => !/\/(site-packages\/(?!pip)[^/]+|test|__pycache__)$/.test(path),
    });
    writeFileSync(join(directory, 'Dockerfile'), `FROM ${base}\nCOPY prefix /usr/local\nRUN ldconfig\n`);
    buildImage(image, directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return image;
}

/** The same with Node and npm, which the official image has. */
function makeNode(directory) {
  mkdirSync(directory);
  cpSync(join(root, 'node_modules/node/bin/node'), join(directory, 'node'), { dereference: true });
  const npm = dirname(dirname(realpathSync(sh('sh', ['-c', 'command -v npm']))));
  cpSync(npm, join(directory, 'npm'), { recursive: true, dereference: true });
  const lines = [
    `FROM ${base}`,
    'COPY node /usr/local/bin/node',
    'COPY npm /usr/local/lib/node_modules/npm',
    'RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm',
    'RUN apt-get update && apt-get install --yes --no-install-recommends binutils',
  ];
  writeFileSync(join(directory, 'Dockerfile'), `${lines.join('\n')}\n`);
  buildImage(node, directory);
}
