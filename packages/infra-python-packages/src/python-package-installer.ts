import { type CommandResult, runCommand } from '@flash/command-runner';
import type { InstalledChange, Installer, InstallOptions, SecretRedactor } from '@flash/worker-core';
import { findUv } from './find-uv.ts';
import { installFailure } from './install-failure.ts';
import { type Distribution, InstalledDistributions } from './installed-distributions.ts';
import { baseFingerprint, normalizeRequirements, packageSetId } from './package-set.ts';
import { parseRequirement } from './requirement.ts';
import { Resolutions } from './resolutions.ts';
import { Satisfaction } from './satisfaction.ts';
import type { PythonPackagesSettings } from './settings.ts';
import { type InterpreterFacts, TargetInterpreter } from './target-interpreter.ts';
import { toolEnvironment } from './tool-environment.ts';

export interface PythonPackageInstallerOptions {
  /** Path of the interpreter that runs user code. */
  readonly python: string;
  /** Environment of installers: index and certificate settings, without the worker's own secrets. */
  readonly env: NodeJS.ProcessEnv;
  readonly settings: PythonPackagesSettings;
  readonly redactor: SecretRedactor;
}

/** Installs Python packages with uv, or pip when downloads are not to be accelerated (contract, section 1). */
export class PythonPackageInstaller implements Installer {
  readonly #options: PythonPackageInstallerOptions;
  readonly #interpreter: TargetInterpreter;
  readonly #distributions = new InstalledDistributions();
  readonly #resolutions: Resolutions;

  constructor(options: PythonPackageInstallerOptions) {
    this.#options = options;
    this.#interpreter = new TargetInterpreter(options.python, options.env);
    this.#resolutions = new Resolutions(options.settings.FLASH_CACHE_DIR);
  }

  async missing(packages: readonly string[]): Promise<readonly string[]> {
    if (packages.length === 0) return [];
    const requirements = packages.map((specifier) => ({
      specifier,
      requirement: parseRequirement(specifier),
    }));
    const { directories, pep508Variables } = await this.#interpreter.facts();
    const installed = await this.#distributions.read(directories);
    const missing: string[] = [];
    for (const { specifier, requirement } of requirements) {
      const satisfaction = new Satisfaction(installed, this.#distributions, pep508Variables);
      if (!(await satisfaction.isMet(requirement))) missing.push(specifier);
    }
    return missing;
  }

  async install(packages: readonly string[], options: InstallOptions): Promise<readonly InstalledChange[]> {
    const requirements = normalizeRequirements(packages);
    const facts = await this.#interpreter.facts();
    const before = await this.#describeInstalled(facts.directories);
    const installed = new Map([...before].map(([name, { distribution }]) => [name, distribution]));
    const id = packageSetId(baseFingerprint(facts, installed), requirements);
    const isKnown = options.accelerate && (await this.#installKnown(id, facts, options));
    if (!isKnown) {
      const [file, args] = await this.#command(packages, options, facts.externallyManaged);
      const result = await this.#run(file, args, options);
      if (result.end !== 'exited' || result.exitCode !== 0)
        throw installFailure(packages, file, result, this.#options);
    }
    const after = await this.#distributions.read(facts.directories);
    const changes = changesBetween(before, after);
    if (!isKnown) await this.#noteResolution(id, requirements, changes, after);
    return changes;
  }

  /** Installs what the same set was resolved to before, out of the cache. @returns whether that was possible. */
  async #installKnown(id: string, facts: InterpreterFacts, options: InstallOptions): Promise<boolean> {
    const { settings, env } = this.#options;
    const uv = await findUv(settings.FLASH_UV, this.#interpreter.path, env);
    const pins = uv === undefined ? undefined : await this.#resolutions.find(id);
    if (uv === undefined || pins === undefined || pins.length === 0) return false;
    const system = facts.externallyManaged ? ['--break-system-packages'] : [];
    const args = ['pip', 'install', '--offline', '--no-deps', '--python', this.#interpreter.path, ...system];
    const result = await this.#run(uv, [...args, '--', ...pins], { ...options, onLine: undefined });
    return result.end === 'exited' && result.exitCode === 0;
  }

  /** Remembers what a set came to, when it can be told by names and versions alone. */
  async #noteResolution(
    id: string,
    requirements: readonly string[],
    changes: readonly InstalledChange[],
    installed: ReadonlyMap<string, Distribution>,
  ): Promise<void> {
    const pins: string[] = [];
    for (const { name, version } of changes) {
      const distribution = installed.get(name);
      if (version === undefined || distribution === undefined) return;
      if ((await this.#distributions.metadata(distribution)).sourceUrl !== undefined) return;
      pins.push(`${name}==${version}`);
    }
    await this.#resolutions.note(id, requirements, pins);
  }

  #run(file: string, args: readonly string[], options: InstallOptions): Promise<CommandResult> {
    const { redactor, env, settings } = this.#options;
    return runCommand(file, [...args], {
      env: toolEnvironment(env, settings.FLASH_CACHE_DIR),
      timeoutMs: settings.FLASH_INSTALL_TIMEOUT_MS,
      signal: options.signal,
      onLine: (line) => options.onLine?.(redactor.redact(line)),
    });
  }

  async #command(
    packages: readonly string[],
    options: InstallOptions,
    externallyManaged: boolean,
  ): Promise<readonly [string, string[]]> {
    const system = externallyManaged ? ['--break-system-packages'] : [];
    const { path } = this.#interpreter;
    if (options.accelerate) {
      const { settings, env } = this.#options;
      const uv = await findUv(settings.FLASH_UV, path, env);
      if (uv !== undefined) return [uv, ['pip', 'install', '--python', path, ...system, '--', ...packages]];
      options.onLine?.('uv was not found (FLASH_UV): installing with pip');
    }
    return [
      path,
      [
        '-m',
        'pip',
        'install',
        '--no-input',
        '--disable-pip-version-check',
        '--progress-bar=off',
        ...system,
        '--',
        ...packages,
      ],
    ];
  }

  /** Import names are read while the old files are still there. */
  async #describeInstalled(directories: readonly string[]): Promise<ReadonlyMap<string, Described>> {
    const installed = await this.#distributions.read(directories);
    const described = await Promise.all(
      [...installed].map(
        async ([name, distribution]): Promise<[string, Described]> => [
          name,
          { distribution, modules: await this.#distributions.topLevelModules(distribution) },
        ],
      ),
    );
    return new Map(described);
  }
}

interface Described {
  readonly distribution: Distribution;
  readonly modules: readonly string[];
}

function changesBetween(
  before: ReadonlyMap<string, Described>,
  after: ReadonlyMap<string, Distribution>,
): readonly InstalledChange[] {
  const changes: InstalledChange[] = [];
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(name), after.get(name)];
    if (was?.distribution.version === is?.version) continue;
    changes.push({
      name,
      version: is?.version,
      previousVersion: was?.distribution.version,
      replacedModules: was?.modules ?? [],
    });
  }
  return changes;
}
