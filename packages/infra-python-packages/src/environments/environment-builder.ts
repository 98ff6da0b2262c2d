import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CommandResult, runCommand } from '@flash/command-runner';
import { InstallError, type SecretRedactor } from '@flash/worker-core';
import { findUv } from '../find-uv.ts';
import { installFailure } from '../install-failure.ts';
import type { Resolutions } from '../resolutions.ts';
import type { PythonPackagesSettings } from '../settings.ts';
import type { InterpreterFacts } from '../target-interpreter.ts';
import { toolEnvironment } from '../tool-environment.ts';
import { writeEnvironmentManifest } from './environment-manifest.ts';
import { plannedPackages } from './planned-packages.ts';

export interface EnvironmentBuilderOptions {
  /** Path of the base interpreter. */
  readonly python: string;
  readonly env: NodeJS.ProcessEnv;
  readonly settings: PythonPackagesSettings;
  readonly redactor: SecretRedactor;
}

/** The environment to build, and the caller that waits for it. */
export interface EnvironmentPlan {
  readonly id: string;
  readonly requirements: readonly string[];
  readonly facts: InterpreterFacts;
  /** Directory of the finished environment. */
  readonly path: string;
  /** Directory in which it is made, on the same file system; it is renamed to `path`. */
  readonly aside: string;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

/** Builds an environment with uv: a virtual environment above the base, with what the base lacks. It appears whole, or not at all. */
export class EnvironmentBuilder {
  readonly #options: EnvironmentBuilderOptions;
  readonly #resolutions: Resolutions;

  constructor(options: EnvironmentBuilderOptions, resolutions: Resolutions) {
    this.#options = options;
    this.#resolutions = resolutions;
  }

  /** @throws InstallError naming the packages and the reason; then nothing is left behind. */
  async build(plan: EnvironmentPlan): Promise<void> {
    const uv = await this.#uv(plan.requirements);
    try {
      const [pins] = await Promise.all([this.#pins(uv, plan), this.#make(uv, plan)]);
      await this.#fill(uv, plan, pins);
      await writeEnvironmentManifest(plan.aside, plan.requirements);
      await rename(plan.aside, plan.path);
    } finally {
      await rm(plan.aside, { recursive: true, force: true });
    }
  }

  async #uv(requirements: readonly string[]): Promise<string> {
    const { settings, python, env } = this.#options;
    const uv = await findUv(settings.FLASH_UV, python, env);
    if (uv !== undefined) return uv;
    throw new InstallError(
      'TOOL_MISSING',
      requirements,
      `installing the Python packages ${requirements.join(', ')} failed: environments (FLASH_ENVIRONMENTS=isolated) are built by uv, and there is none: install it beside ${python}, or set FLASH_UV`,
    );
  }

  /** The packages to add to the base: as they were resolved before, else what uv would add, given what the base has. */
  async #pins(uv: string, plan: EnvironmentPlan): Promise<readonly string[]> {
    const known = await this.#resolutions.find(plan.id);
    if (known !== undefined) return known;
    const args = ['pip', 'install', '--dry-run', '--python', this.#options.python];
    const system = plan.facts.externallyManaged ? ['--break-system-packages'] : [];
    // A plan may be longer than what a command's result keeps of its output.
    const lines: string[] = [];
    const read = (line: string): void => void lines.push(line);
    const result = await this.#run(uv, [...args, ...system, '--', ...plan.requirements], plan.signal, read);
    if (!isDone(result)) throw installFailure(plan.requirements, uv, result, this.#options);
    const pins = plannedPackages(lines.join('\n'));
    // This uv words its plan in another way than is known here: all requirements go into the environment, also those that the base meets.
    if (pins === undefined) return plan.requirements;
    await this.#resolutions.note(plan.id, plan.requirements, pins);
    return pins;
  }

  async #make(uv: string, { aside, facts, requirements, signal }: EnvironmentPlan): Promise<void> {
    const { python } = this.#options;
    await rm(aside, { recursive: true, force: true });
    await mkdir(join(aside, '..'), { recursive: true });
    // `--relocatable`: its commands find their interpreter after the directory was renamed.
    const args = ['venv', '--quiet', '--relocatable', '--no-project', '--python', python, aside];
    const result = await this.#run(uv, args, signal);
    if (!isDone(result)) throw installFailure(requirements, uv, result, this.#options);
    const [major, minor] = (facts.pep508Variables.python_version ?? '').split('.');
    const directory = join(aside, 'lib', `python${major}.${minor}`, 'site-packages');
    // The base's packages come after the environment's own, with what their .pth files add.
    const lines = facts.directories
      .filter((path) => /(?:site|dist)-packages$/.test(path))
      .map((path) => `import site; site.addsitedir(${JSON.stringify(path)})\n`);
    await writeFile(join(directory, '_flash_base.pth'), lines.join(''));
  }

  /** Installs the packages into the environment. Packages of a set that was resolved before are mostly in uv's cache: it is tried without the index first. */
  async #fill(uv: string, plan: EnvironmentPlan, pins: readonly string[]): Promise<void> {
    if (pins.length === 0) return;
    const isResolved = pins !== plan.requirements;
    const python = join(plan.aside, 'bin/python');
    const args = ['pip', 'install', '--python', python, ...(isResolved ? ['--no-deps'] : [])];
    if (isResolved) {
      const offline = await this.#run(uv, [...args, '--offline', '--', ...pins], plan.signal);
      if (isDone(offline)) return;
    }
    const show = (line: string): void => plan.onLine(this.#options.redactor.redact(line));
    const result = await this.#run(uv, [...args, '--', ...pins], plan.signal, show);
    if (!isDone(result)) throw installFailure(plan.requirements, uv, result, this.#options);
  }

  #run(
    uv: string,
    args: readonly string[],
    signal: AbortSignal,
    onLine?: (line: string) => void,
  ): Promise<CommandResult> {
    const { env, settings } = this.#options;
    return runCommand(uv, [...args], {
      env: toolEnvironment(env, settings.FLASH_CACHE_DIR),
      timeoutMs: settings.FLASH_INSTALL_TIMEOUT_MS,
      signal,
      onLine,
    });
  }
}

function isDone(result: CommandResult): boolean {
  return result.end === 'exited' && result.exitCode === 0;
}
