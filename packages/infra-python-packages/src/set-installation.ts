import { type CommandResult, runCommand } from '@flash/command-runner';
import type { InstallError, InstallOptions, SecretRedactor } from '@flash/worker-core';
import {
  contradictsItself,
  contradictsPromises,
  differentSources,
  type HandedRequirement,
  type Sides,
} from './contradiction.ts';
import { findUv } from './find-uv.ts';
import { failureKind, installFailure, toolReason } from './install-failure.ts';
import { findInstallTool, type InstallTool } from './install-tool.ts';
import type { Distribution, InstalledDistributions } from './installed-distributions.ts';
import { Satisfaction } from './satisfaction.ts';
import type { PythonPackagesSettings } from './settings.ts';
import type { InterpreterFacts } from './target-interpreter.ts';
import { toolEnvironment } from './tool-environment.ts';

/** What a {@link SetInstallation} works with. */
export interface SetInstallationOptions {
  /** Path of the interpreter that packages are installed for. */
  readonly python: string;
  /** Environment of the tools. */
  readonly env: NodeJS.ProcessEnv;
  readonly settings: PythonPackagesSettings;
  readonly redactor: SecretRedactor;
}

/** What is to be installed; requirements in their normalized form. */
export interface RequirementSet {
  /** What the request asks for. */
  readonly wanted: readonly string[];
  /** What earlier requests were promised. */
  readonly promised: readonly string[];
}

/** Has uv or pip resolve and install a request's requirements together with those that earlier requests were promised. */
export class SetInstallation {
  readonly #options: SetInstallationOptions;
  readonly #facts: InterpreterFacts;
  readonly #distributions: InstalledDistributions;

  constructor(
    options: SetInstallationOptions,
    facts: InterpreterFacts,
    distributions: InstalledDistributions,
  ) {
    this.#options = options;
    this.#facts = facts;
    this.#distributions = distributions;
  }

  /**
   * @param installed - what is installed now.
   * @throws InstallError naming the packages and the reason, `CONFLICT` naming both sides of a contradiction
   */
  async install(
    { wanted, promised }: RequirementSet,
    installed: ReadonlyMap<string, Distribution>,
    options: InstallOptions,
  ): Promise<void> {
    this.#refuseDifferentSources({ wanted, promised });
    const { python, env, settings } = this.#options;
    const onLine = (line: string): void => options.onLine?.(line);
    const { accelerate } = options;
    const tool = await findInstallTool(wanted, {
      python,
      facts: this.#facts,
      env,
      settings,
      accelerate,
      onLine,
    });
    const sides = {
      wanted: await this.#handed(wanted, installed),
      promised: await this.#handed(promised, installed),
    };
    const set = [...new Set([...sides.wanted, ...sides.promised].map(({ handed }) => handed))];
    const result = await this.#run(tool.file, tool.install(set), options);
    if (!isDone(result)) throw await this.#failure(tool, result, sides, options);
  }

  /** Installs packages that a set was resolved to before, out of the cache. @returns whether that was possible. */
  async installResolved(pins: readonly string[], options: InstallOptions): Promise<boolean> {
    const { python, env, settings } = this.#options;
    const uv = await findUv(settings.FLASH_UV, python, env);
    if (uv === undefined || pins.length === 0) return false;
    const system = this.#facts.externallyManaged ? ['--break-system-packages'] : [];
    const args = ['pip', 'install', '--offline', '--no-deps', '--python', python, ...system];
    return isDone(await this.#run(uv, [...args, '--', ...pins], { ...options, onLine: undefined }));
  }

  #refuseDifferentSources({ wanted, promised }: RequirementSet): void {
    const [one, other] = differentSources(wanted, [...wanted, ...promised]) ?? [];
    if (one === undefined || other === undefined) return;
    if (wanted.includes(other)) throw contradictsItself([one, other], '', this.#options.redactor);
    const sides = { wanted: [asIs(one)], promised: [asIs(other)] };
    throw contradictsPromises(sides, '', this.#options.redactor);
  }

  async #handed(
    requirements: readonly string[],
    installed: ReadonlyMap<string, Distribution>,
  ): Promise<readonly HandedRequirement[]> {
    const handed: HandedRequirement[] = [];
    for (const requirement of requirements) {
      const satisfaction = new Satisfaction(installed, this.#distributions, this.#facts.pep508Variables);
      const text = await satisfaction.handedOver(requirement);
      if (text !== undefined) handed.push({ requirement, handed: text });
    }
    return handed;
  }

  /** Asks the tool whether a request fails for what it asks for itself, or only beside what earlier requests were promised. */
  async #failure(
    tool: InstallTool,
    result: CommandResult,
    sides: Sides,
    options: InstallOptions,
  ): Promise<InstallError> {
    const wanted = sides.wanted.map(({ requirement }) => requirement);
    const failure = installFailure(wanted, tool.file, result, this.#options);
    if (!isOfTheSet(failure.failure) || sides.promised.length === 0) return failure;
    const plan = tool.plan(sides.wanted.map(({ handed }) => handed));
    const alone = await this.#run(tool.file, plan, { ...options, onLine: undefined });
    const failsAlone = alone.end !== 'exited' || (!isDone(alone) && isOfTheSet(failureKind(alone.output)));
    if (failsAlone) return installFailure(wanted, tool.file, alone, this.#options);
    return contradictsPromises(sides, toolReason(result), this.#options.redactor);
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
}

/** Whether promised requirements may be the cause of a failure of this kind. */
function isOfTheSet(failure: InstallError['failure']): boolean {
  return failure === 'CONFLICT' || failure === 'NOT_FOUND';
}

function isDone(result: CommandResult): boolean {
  return result.end === 'exited' && result.exitCode === 0;
}

function asIs(requirement: string): HandedRequirement {
  return { requirement, handed: requirement };
}
