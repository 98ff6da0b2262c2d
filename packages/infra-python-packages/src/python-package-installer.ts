import { access, constants } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type CommandResult, runCommand } from '@flash/command-runner';
import {
  InstallError,
  type InstallFailure,
  type InstalledChange,
  type Installer,
  type InstallOptions,
  type SecretRedactor,
} from '@flash/worker-core';
import { type Distribution, InstalledDistributions } from './installed-distributions.ts';
import { parseRequirement } from './requirement.ts';
import { Satisfaction } from './satisfaction.ts';
import type { PythonPackagesSettings } from './settings.ts';
import { TargetInterpreter } from './target-interpreter.ts';

export interface PythonPackageInstallerOptions {
  /** Path of the interpreter that runs user code. */
  readonly python: string;
  /** Environment of installers: index and certificate settings, without the worker's own secrets. */
  readonly env: NodeJS.ProcessEnv;
  readonly settings: PythonPackagesSettings;
  readonly redactor: SecretRedactor;
}

const reasonLines = 15;
const compiler = String.raw`['"‘\`]?[\w/.-]*\b(?:gcc|g\+\+|cc|c\+\+|clang|clang\+\+)(?:-\d+)?['"’\`]?`;
/** How build tools say that there is no compiler, as against one that did not like the source. */
const compilerMissing = [
  `No such file or directory: ${compiler}`,
  `(?:unable to execute|command) ${compiler}(?: failed)?: No such file or directory`,
  `${compiler}: (?:command )?not found`,
  'no acceptable C compiler found',
  String.raw`Unknown compiler\(s\)`,
  'No CMAKE_C(?:XX)?_COMPILER could be found',
];
const notFound = [
  'was not found in the package registry',
  'No matching distribution found',
  'Could not find a version that satisfies',
  'there (?:is|are) no versions? of',
];
const failures: readonly [InstallFailure, RegExp][] = [
  ['COMPILER_MISSING', new RegExp(compilerMissing.join('|'), 'i')],
  ['NOT_FOUND', new RegExp(notFound.join('|'), 'i')],
];

/** Installs Python packages with uv, or pip when downloads are not to be accelerated (contract, section 1). */
export class PythonPackageInstaller implements Installer {
  readonly #options: PythonPackageInstallerOptions;
  readonly #interpreter: TargetInterpreter;
  readonly #distributions = new InstalledDistributions();

  constructor(options: PythonPackageInstallerOptions) {
    this.#options = options;
    this.#interpreter = new TargetInterpreter(options.python, options.env);
  }

  async missing(packages: readonly string[]): Promise<readonly string[]> {
    if (packages.length === 0) return [];
    const requirements = packages.map((specifier) => ({
      specifier,
      requirement: parseRequirement(specifier),
    }));
    const { directories, markers } = await this.#interpreter.facts();
    const installed = await this.#distributions.read(directories);
    const missing: string[] = [];
    for (const { specifier, requirement } of requirements) {
      const satisfaction = new Satisfaction(installed, this.#distributions, markers);
      if (!(await satisfaction.isMet(requirement))) missing.push(specifier);
    }
    return missing;
  }

  async install(packages: readonly string[], options: InstallOptions): Promise<readonly InstalledChange[]> {
    for (const specifier of packages) parseRequirement(specifier);
    const { redactor, env, settings } = this.#options;
    const facts = await this.#interpreter.facts();
    const before = await this.#describeInstalled(facts.directories);
    const [file, args] = await this.#command(packages, options, facts.externallyManaged);
    const result = await runCommand(file, args, {
      env: { ...env, ...quietTools },
      timeoutMs: settings.FLASH_INSTALL_TIMEOUT_MS,
      signal: options.signal,
      onLine: (line) => options.onLine?.(redactor.redact(line)),
    });
    if (result.end !== 'exited' || result.exitCode !== 0) throw this.#failure(packages, file, result);
    return changesBetween(before, await this.#distributions.read(facts.directories));
  }

  async #command(
    packages: readonly string[],
    options: InstallOptions,
    externallyManaged: boolean,
  ): Promise<readonly [string, string[]]> {
    const system = externallyManaged ? ['--break-system-packages'] : [];
    const { path } = this.#interpreter;
    if (options.accelerate) {
      const uv = await this.#uv();
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

  async #uv(): Promise<string | undefined> {
    const places = [
      this.#options.settings.FLASH_UV,
      join(dirname(this.#interpreter.path), 'uv'),
      ...(this.#options.env.PATH ?? '').split(':').map((directory) => join(directory, 'uv')),
    ];
    for (const place of places) {
      if (place === undefined) continue;
      const found = await access(place, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (found) return place;
    }
    return undefined;
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

  #failure(packages: readonly string[], file: string, result: CommandResult): InstallError {
    const { redactor, settings } = this.#options;
    const names = packages.join(', ');
    const tail = redactor.redact(result.output.split('\n').slice(-reasonLines).join('\n'));
    switch (result.end) {
      case 'timed-out':
        return new InstallError(
          'TIMED_OUT',
          packages,
          `installing the Python packages ${names} took longer than ${settings.FLASH_INSTALL_TIMEOUT_MS} ms and was stopped; raise FLASH_INSTALL_TIMEOUT_MS\n${tail}`,
        );
      case 'cancelled':
        return new InstallError(
          'CANCELLED',
          packages,
          `installing the Python packages ${names} was cancelled`,
        );
      case 'not-started':
        return new InstallError(
          'TOOL_MISSING',
          packages,
          `installing the Python packages ${names} failed: ${file} could not be started: ${tail}`,
        );
      case 'exited': {
        const kind = failures.find(([, pattern]) => pattern.test(result.output))?.[0] ?? 'FAILED';
        return new InstallError(kind, packages, `installing the Python packages ${names} failed:\n${tail}`);
      }
    }
  }
}

interface Described {
  readonly distribution: Distribution;
  readonly modules: readonly string[];
}

/** Lines for a log instead of a terminal's colours and bars. */
const quietTools = { NO_COLOR: '1', UV_NO_PROGRESS: '1', PIP_NO_COLOR: '1', PYTHONUNBUFFERED: '1' };

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
