import {
  type InstalledChange,
  type Installer,
  type InstallOptions,
  type Log,
  PromisedPackages,
  type SecretRedactor,
} from '@flash/worker-core';
import { brokePromises } from './contradiction.ts';
import { removeIncomplete } from './incomplete-distributions.ts';
import { changesBetween, describeInstalled } from './installed-changes.ts';
import { type Distribution, InstalledDistributions } from './installed-distributions.ts';
import { baseFingerprint, normalizeRequirements, packageSetId } from './package-set.ts';
import { parseRequirement } from './requirement.ts';
import { Resolutions } from './resolutions.ts';
import { Satisfaction } from './satisfaction.ts';
import { SetInstallation } from './set-installation.ts';
import type { PythonPackagesSettings } from './settings.ts';
import { type InterpreterFacts, TargetInterpreter } from './target-interpreter.ts';

export interface PythonPackageInstallerOptions {
  /** Path of the interpreter that runs user code. */
  readonly python: string;
  /** Environment of installers: index and certificate settings, without the worker's own secrets. */
  readonly env: NodeJS.ProcessEnv;
  readonly settings: PythonPackagesSettings;
  readonly redactor: SecretRedactor;
  /** Receives warnings for operators; absent: they are dropped. */
  readonly log?: Log | undefined;
}

/**
 * Installs Python packages with uv, or pip when downloads are not to be accelerated (docs/reference/protocol.md, FunctionRequest). All that a request asks for is
 * resolved in one, together with what earlier requests were promised (docs/decisions/0011-promised-requirements.md).
 */
export class PythonPackageInstaller implements Installer {
  readonly #options: PythonPackageInstallerOptions;
  readonly #interpreter: TargetInterpreter;
  readonly #distributions = new InstalledDistributions();
  readonly #resolutions: Resolutions;
  /** In their normalized form. */
  readonly #promised: PromisedPackages;
  /** Promised requirements that an installation which failed half way has left unmet. */
  readonly #lost = new Set<string>();

  constructor(options: PythonPackageInstallerOptions) {
    const { settings, log } = options;
    this.#options = options;
    this.#interpreter = new TargetInterpreter(options.python, options.env);
    this.#resolutions = new Resolutions(settings.FLASH_CACHE_DIR);
    this.#promised = new PromisedPackages(settings.FLASH_MAX_PROMISED_REQUIREMENTS, log);
  }

  async missing(packages: readonly string[]): Promise<readonly string[]> {
    if (packages.length === 0) return [];
    // Every specifier is checked before the interpreter is asked.
    for (const specifier of packages) parseRequirement(specifier);
    return this.#unmet(packages, await this.#interpreter.facts());
  }

  promise(packages: readonly string[]): void {
    this.#promised.add(normalizeRequirements(packages));
  }

  async install(packages: readonly string[], options: InstallOptions): Promise<readonly InstalledChange[]> {
    const wanted = normalizeRequirements(packages);
    const facts = await this.#interpreter.facts();
    const promised = await this.#stillKept(facts, options);
    const before = await describeInstalled(this.#distributions, facts.directories);
    const installed = new Map([...before].map(([name, { distribution }]) => [name, distribution]));
    const set = normalizeRequirements([...wanted, ...promised]);
    const id = packageSetId(baseFingerprint(facts, installed), set);
    const installation = new SetInstallation(this.#options, facts, this.#distributions);
    const pins = options.accelerate ? await this.#resolutions.find(id) : undefined;
    const startedAt = Date.now();
    const isKnown = pins !== undefined && (await installation.installResolved(pins, options));
    try {
      if (pins !== undefined && !isKnown) await this.#removeIncomplete(facts, startedAt);
      if (!isKnown) await installation.install({ wanted, promised }, installed, options);
    } catch (error) {
      await this.#removeIncomplete(facts, startedAt);
      // What a tool has removed before it failed is installed again with what is installed next.
      for (const requirement of await this.#unmet(promised, facts)) this.#lost.add(requirement);
      throw error;
    }
    this.#lost.clear();
    const after = await this.#distributions.read(facts.directories);
    const changes = changesBetween(before, after);
    if (!isKnown) await this.#noteResolution(id, set, changes, after);
    await this.#keepPromises(wanted, facts);
    return changes;
  }

  /** The requirements that the installed packages do not meet. */
  async #unmet(requirements: readonly string[], facts: InterpreterFacts): Promise<readonly string[]> {
    const installed = await this.#distributions.read(facts.directories);
    const unmet: string[] = [];
    for (const requirement of requirements) {
      const satisfaction = new Satisfaction(installed, this.#distributions, facts.pep508Variables);
      if (!(await satisfaction.isMet(parseRequirement(requirement)))) unmet.push(requirement);
    }
    return unmet;
  }

  /** The promised requirements that are still met. Those that user code has broken with an installer of its own are forgotten. */
  async #stillKept(facts: InterpreterFacts, { onLine }: InstallOptions): Promise<readonly string[]> {
    const promised = this.#promised.all();
    const unmet = await this.#unmet(promised, facts);
    const broken = new Set(unmet.filter((requirement) => !this.#lost.has(requirement)));
    for (const requirement of broken) {
      this.#promised.forget(requirement);
      const line = `An earlier request asked for ${requirement}; something other than this worker has replaced or removed it since`;
      onLine?.(this.#options.redactor.redact(line));
    }
    return promised.filter((requirement) => !broken.has(requirement));
  }

  /**
   * Promises what was installed, and checks the promises that were made during the installation: what they rely on may just have been replaced.
   *
   * @throws InstallError (`CONFLICT`) when that has happened
   */
  async #keepPromises(wanted: readonly string[], facts: InterpreterFacts): Promise<void> {
    const broken = await this.#unmet(this.#promised.all(), facts);
    for (const requirement of broken) this.#promised.forget(requirement);
    if (broken.length > 0) throw brokePromises(wanted, broken, this.#options.redactor);
    const unmet = new Set(await this.#unmet(wanted, facts));
    this.#promised.add(wanted.filter((requirement) => !unmet.has(requirement)));
  }

  #removeIncomplete({ directories }: InterpreterFacts, startedAt: number): Promise<void> {
    return removeIncomplete(this.#distributions, directories, startedAt);
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
}
