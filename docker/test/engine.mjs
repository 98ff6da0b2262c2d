/** The tools that build and run images without an engine: buildah, podman and runc, from Debian. */
import { execFileSync, spawnSync } from 'node:child_process';
import { buildArguments, bundleOfCertificates, machineMounts } from '../../scripts/lib/buildah.mjs';
import { installPrograms } from '../../scripts/lib/debian.mjs';
import { root } from '../../scripts/lib/run.mjs';

/** Installs what is missing. @returns why nothing can be built here; `undefined` when it can. */
export const prepareEngine = () => installPrograms(['buildah', 'podman', 'runc', 'debootstrap']);

/** What one command may take; the longest of them builds an image on a slow machine. */
const mostMs = 20 * 60_000;

/** Runs a command. @throws Error with the end of its output, or saying that it took too long. */
export function sh(file, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(file, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    timeout: mostMs,
    killSignal: 'SIGKILL',
    ...options,
  });
  if (status === 0) return stdout.trim();
  const output = [stdout, stderr, error?.message].filter(Boolean).join('\n').trim().split('\n');
  throw new Error(`${file} ${args.join(' ')}:\n${output.slice(-30).join('\n')}`);
}

export function hasImage(name) {
  return spawnSync('podman', ['image', 'exists', name]).status === 0;
}

export function buildImage(tag, context, args = []) {
  sh('buildah', buildArguments(tag, context, ['--pull-never', ...args]));
}

/** What a container is run with in any case. */
const runs = [
  ...['run', '--runtime', 'runc', '--network=host'],
  ...['--ulimit', 'nofile=1024:4096', '--ulimit', 'nproc=4096:8192'],
];

/** What a command in an image prints. */
export function output(image, command, ...args) {
  const podman = [...runs, '--rm', '--entrypoint', command, image, ...args];
  return sh('podman', podman, { stdio: ['ignore', 'pipe', 'ignore'] });
}

/** A container of the host's network. `settings` become its environment. */
export class Container {
  #id;

  constructor(image, settings = {}, options = [], args = []) {
    const env = { SSL_CERT_FILE: bundleOfCertificates, PIP_CERT: bundleOfCertificates, ...settings };
    const podman = [
      ...[...runs, '--detach'],
      ...machineMounts(),
      ...Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
      ...options,
    ];
    this.#id = sh('podman', [...podman, image, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
  }

  get log() {
    const { stdout, stderr } = spawnSync('podman', ['logs', this.#id], { encoding: 'utf8' });
    return stdout + stderr;
  }

  get isRunning() {
    return this.#inspect('{{.State.Running}}') === 'true';
  }

  exec(...command) {
    return sh('podman', ['exec', this.#id, ...command]);
  }

  /** Whether its own health check passes. */
  get isHealthy() {
    return spawnSync('podman', ['healthcheck', 'run', this.#id]).status === 0;
  }

  signal(name) {
    execFileSync('podman', ['kill', '--signal', name, this.#id], { stdio: 'ignore' });
  }

  /** Ends it as the platform does: SIGTERM, and a bound. @returns its exit status. */
  stop(seconds = 20) {
    spawnSync('podman', ['stop', '--time', String(seconds), this.#id], { stdio: 'ignore' });
    return this.exitCode;
  }

  get exitCode() {
    return Number(this.#inspect('{{.State.ExitCode}}'));
  }

  remove() {
    spawnSync('podman', ['rm', '--force', '--time', '0', this.#id], { stdio: 'ignore' });
  }

  #inspect(what) {
    return sh('podman', ['inspect', '--format', what, this.#id], { stdio: ['ignore', 'pipe', 'ignore'] });
  }
}
