import { access, constants, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type CommandResult, runCommand } from '@flash/command-runner';
import {
  InstallError,
  type InstalledChange,
  type Installer,
  type InstallOptions,
  type Log,
  PromisedPackages,
  type SecretRedactor,
} from '@flash/worker-core';
import { archiveOptions } from './archive-options.ts';
import { AptPlan } from './apt-plan.ts';
import { DpkgStatus } from './dpkg-status.ts';
import { formatPackage, parsePackage } from './package-specifier.ts';
import type { SystemPackagesSettings } from './settings.ts';

export interface SystemPackageInstallerOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly settings: SystemPackagesSettings;
  readonly redactor: SecretRedactor;
  /** Where dpkg and apt keep their state; default "/var/lib". */
  readonly stateDirectory?: string | undefined;
  /** Default: the platform of this process. */
  readonly platform?: NodeJS.Platform | undefined;
  /** Receives warnings for operators; absent: they are dropped. */
  readonly log?: Log | undefined;
}

const lockRetryMs = 1000;
const reasonLines = 15;
const lockHeld = /Could not get lock|Unable to (?:acquire|lock)|is another process using it/i;
const unknownPackage =
  /Unable to locate package|has no installation candidate|Version '.*' for '.*' was not found|not found/i;
const noPermission = /are you root\?|Permission denied|requires? (?:root|superuser)/i;
const changesNothing: readonly InstalledChange[] = [];

/** Installs Debian packages with apt-get, or nala where it downloads large ones faster (docs/reference/protocol.md, FunctionRequest). */
export class SystemPackageInstaller implements Installer {
  readonly #options: SystemPackageInstallerOptions;
  readonly #status: DpkgStatus;
  readonly #listsDirectory: string;
  readonly #isDebian: boolean;
  readonly #promised: PromisedPackages;

  constructor(options: SystemPackageInstallerOptions) {
    this.#options = options;
    const state = options.stateDirectory ?? '/var/lib';
    this.#status = new DpkgStatus(join(state, 'dpkg/status'));
    this.#listsDirectory = join(state, 'apt/lists');
    this.#isDebian = (options.platform ?? process.platform) === 'linux';
    this.#promised = new PromisedPackages(options.settings.FLASH_MAX_PROMISED_REQUIREMENTS, options.log);
  }

  async missing(packages: readonly string[]): Promise<readonly string[]> {
    const missing: string[] = [];
    for (const specifier of packages) {
      const wanted = parsePackage(specifier);
      if (!this.#isDebian || !(await this.#status.isInstalled(wanted))) missing.push(formatPackage(wanted));
    }
    return missing;
  }

  promise(packages: readonly string[]): void {
    if (this.#isDebian)
      this.#promised.add(packages.map((specifier) => formatPackage(parsePackage(specifier))));
  }

  async install(packages: readonly string[], options: InstallOptions): Promise<readonly InstalledChange[]> {
    const names = packages.map((specifier) => formatPackage(parsePackage(specifier)));
    if (!this.#isDebian) {
      options.onLine?.(`Warning: system packages are skipped on this platform: ${names.join(', ')}`);
      return changesNothing;
    }
    const kept = await this.#kept(names);
    refuseTwoVersions(names, kept);
    const missing = await this.missing(names);
    if (missing.length === 0) {
      this.promise(names);
      return changesNothing;
    }
    const updated = (await this.#listsAreStale()) && (await this.#update(options));
    let result = await this.#runInstall(missing, kept, options);
    if (isUnknownPackage(result) && !updated) {
      // The lists may be older than the package, or its version may be gone from the archive.
      await this.#update(options);
      result = await this.#runInstall(missing, kept, options);
    }
    if (result.end !== 'exited' || result.exitCode !== 0) throw this.#failure(names, result);
    this.promise(names);
    return changesNothing;
  }

  /** Installed packages that must stay: those of this request, and those that earlier requests were promised. */
  async #kept(names: readonly string[]): Promise<readonly string[]> {
    const kept: string[] = [];
    for (const name of new Set([...names, ...this.#promised.all()])) {
      if (await this.#status.isInstalled(parsePackage(name))) kept.push(name);
      else this.#promised.forget(name);
    }
    return kept;
  }

  async #runInstall(
    names: readonly string[],
    kept: readonly string[],
    options: InstallOptions,
  ): Promise<CommandResult> {
    const archives = await archiveOptions(this.#options.settings.FLASH_CACHE_DIR);
    const args = ['install', '-y', '--no-install-recommends', ...archives, ...names];
    if (kept.length > 0) await this.#refuseChanges(kept, names, args, options);
    if (options.accelerate && this.#areLarge(names) && (await this.#hasNala())) {
      const result = await this.#run('nala', args, options);
      if (result.end !== 'exited' || result.exitCode === 0) return result;
      options.onLine?.('nala failed: trying apt-get');
    }
    return this.#run('apt-get', args, options);
  }

  /**
   * Asks apt-get what it would do: apt-get and nala remove and replace packages that conflict with what they are to install.
   *
   * @throws InstallError (`CONFLICT`) when a package that must stay would be removed or replaced
   */
  async #refuseChanges(
    kept: readonly string[],
    names: readonly string[],
    args: readonly string[],
    options: InstallOptions,
  ): Promise<void> {
    const plan = new AptPlan();
    const onLine = (line: string): void => plan.read(line);
    await this.#run('apt-get', ['--simulate', ...args], { ...options, onLine });
    for (const name of kept) {
      const what = plan.contradiction(parsePackage(name));
      if (what !== undefined)
        throw contradiction(names, `${names.join(', ')} can't be installed: ${name} ${what}`);
    }
  }

  async #update(options: InstallOptions): Promise<boolean> {
    options.onLine?.('Updating the package lists');
    const result = await this.#run('apt-get', ['update', '-q'], options);
    if (result.end === 'exited' && result.exitCode === 0) return true;
    // Lists that can't be renewed may still do; what they lack is named by the installation itself.
    options.onLine?.(
      `Warning: the package lists could not be updated: ${result.output.split('\n').at(-1) ?? ''}`,
    );
    return false;
  }

  /** Runs one tool; while another one holds apt's lock it waits, within the step's time. */
  async #run(file: string, args: readonly string[], options: InstallOptions): Promise<CommandResult> {
    const { env, settings, redactor } = this.#options;
    const deadline = Date.now() + settings.FLASH_INSTALL_TIMEOUT_MS;
    for (let announced = false; ; announced = true) {
      const timeoutMs = Math.max(1, deadline - Date.now());
      const result = await runCommand(file, [...args], {
        env: { ...env, DEBIAN_FRONTEND: 'noninteractive', NO_COLOR: '1' },
        timeoutMs,
        signal: options.signal,
        onLine: (line) => {
          if (!lockHeld.test(line)) options.onLine?.(redactor.redact(line));
        },
      });
      const isLocked =
        result.end === 'exited' &&
        result.exitCode !== 0 &&
        lockHeld.test(result.output) &&
        // A worker without the permission to take the lock does not wait for it.
        !noPermission.test(result.output);
      if (!isLocked || Date.now() + lockRetryMs >= deadline) return result;
      if (!announced) options.onLine?.('Another process is using apt: waiting for it');
      await delay(lockRetryMs);
      if (options.signal?.aborted) return { end: 'cancelled', output: '' };
    }
  }

  /** Whether the package lists are missing, as in most images, or older than FLASH_APT_LISTS_MAX_AGE_MS. */
  async #listsAreStale(): Promise<boolean> {
    const names = await readdir(this.#listsDirectory).catch((): string[] => []);
    const lists = names.filter((name) => /_(?:In)?Release$/.test(name));
    if (lists.length === 0) return true;
    const { mtimeMs } = await stat(join(this.#listsDirectory, 'partial')).catch(() =>
      stat(this.#listsDirectory),
    );
    return Date.now() - mtimeMs > this.#options.settings.FLASH_APT_LISTS_MAX_AGE_MS;
  }

  #areLarge(names: readonly string[]): boolean {
    const { FLASH_LARGE_SYSTEM_PACKAGES: large } = this.#options.settings;
    return names.some((name) =>
      large.some((pattern) =>
        pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name.split(/[:=]/, 1)[0] === pattern,
      ),
    );
  }

  async #hasNala(): Promise<boolean> {
    for (const directory of (this.#options.env.PATH ?? '').split(':')) {
      const found = await access(join(directory, 'nala'), constants.X_OK).then(
        () => true,
        () => false,
      );
      if (found) return true;
    }
    return false;
  }

  #failure(names: readonly string[], result: CommandResult): InstallError {
    const { settings, redactor } = this.#options;
    const list = names.join(', ');
    const tail = redactor.redact(result.output.split('\n').slice(-reasonLines).join('\n'));
    switch (result.end) {
      case 'timed-out':
        return new InstallError(
          'TIMED_OUT',
          names,
          `installing the system packages ${list} took longer than ${settings.FLASH_INSTALL_TIMEOUT_MS} ms and was stopped; raise FLASH_INSTALL_TIMEOUT_MS\n${tail}`,
        );
      case 'cancelled':
        return new InstallError('CANCELLED', names, `installing the system packages ${list} was cancelled`);
      case 'not-started':
        return new InstallError(
          'TOOL_MISSING',
          names,
          `installing the system packages ${list} failed: apt-get is not here; use an image based on Debian, or leave system_dependencies out`,
        );
      case 'exited':
        if (noPermission.test(result.output)) {
          return new InstallError(
            'FAILED',
            names,
            `installing the system packages ${list} needs root, and this worker does not run as root: put them into the image\n${tail}`,
          );
        }
        return new InstallError(
          isUnknownPackage(result) ? 'NOT_FOUND' : 'FAILED',
          names,
          `installing the system packages ${list} failed:\n${tail}`,
        );
    }
  }
}

/** One machine has one version of a package: apt-get would silently take the last one named. */
function refuseTwoVersions(names: readonly string[], kept: readonly string[]): void {
  for (const one of names) {
    const wanted = parsePackage(one);
    const other = [...kept, ...names].find((candidate) => {
      const { name, architecture, version } = parsePackage(candidate);
      const isSame = name === wanted.name && architecture === wanted.architecture;
      return isSame && version !== undefined && wanted.version !== undefined && version !== wanted.version;
    });
    if (other !== undefined) throw contradiction(names, `${one} and ${other} can't both be installed`);
  }
}

function contradiction(names: readonly string[], what: string): InstallError {
  const advice =
    'What this request asks for and has, and what earlier requests to this worker asked for, stays as it was asked for, and nothing was replaced: ask for versions and packages that agree, or serve them by another endpoint';
  return new InstallError('CONFLICT', names, `the system packages contradict each other: ${what}. ${advice}`);
}

function isUnknownPackage(result: CommandResult): boolean {
  return result.end === 'exited' && result.exitCode !== 0 && unknownPackage.test(result.output);
}
