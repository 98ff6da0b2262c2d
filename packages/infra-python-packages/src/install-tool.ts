import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { InstallError } from '@flash/worker-core';
import { findUv } from './find-uv.ts';
import type { PythonPackagesSettings } from './settings.ts';
import type { InterpreterFacts } from './target-interpreter.ts';

/** A program that installs Python packages. */
export interface InstallTool {
  readonly name: 'uv' | 'pip';
  /** Path of the program. */
  readonly file: string;
  /** The command line that installs requirements. */
  install(requirements: readonly string[]): readonly string[];
  /** The command line that resolves requirements and installs nothing. */
  plan(requirements: readonly string[]): readonly string[];
}

/** What the choice of a tool depends on. */
export interface ToolChoice {
  /** Path of the interpreter that packages are installed for. */
  readonly python: string;
  readonly facts: InterpreterFacts;
  readonly env: NodeJS.ProcessEnv;
  readonly settings: PythonPackagesSettings;
  /** Whether uv is preferred to pip. */
  readonly accelerate: boolean;
  readonly onLine: (line: string) => void;
}

/**
 * uv, or pip when downloads are not to be accelerated (docs/reference/protocol.md, FunctionRequest); where the one is not there, the other, and a line that says so.
 *
 * @throws InstallError (`TOOL_MISSING`) when neither is there.
 */
export async function findInstallTool(
  requirements: readonly string[],
  { python, facts, env, settings, accelerate, onLine }: ToolChoice,
): Promise<InstallTool> {
  const uv = async (): Promise<InstallTool | undefined> => {
    const file = await findUv(settings.FLASH_UV, python, env);
    return file === undefined ? undefined : uvTool(file, python, facts);
  };
  const pip = async (): Promise<InstallTool | undefined> =>
    (await hasPip(facts)) ? pipTool(python, facts) : undefined;
  const [wanted, other] = accelerate ? [uv, pip] : [pip, uv];
  const tool = await wanted();
  if (tool !== undefined) return tool;
  const instead = await other();
  if (instead === undefined)
    throw new InstallError(
      'TOOL_MISSING',
      requirements,
      `installing the Python packages ${requirements.join(', ')} failed: there is neither uv nor pip; install one of them for ${python}, or set FLASH_UV`,
    );
  onLine(
    accelerate
      ? 'uv was not found (FLASH_UV): installing with pip'
      : `${python} has no pip: installing with uv, although accelerate_downloads is false`,
  );
  return instead;
}

function uvTool(file: string, python: string, facts: InterpreterFacts): InstallTool {
  const install = ['pip', 'install', '--python', python, ...breakSystemPackages(facts)];
  return {
    name: 'uv',
    file,
    install: (requirements) => [...install, '--', ...requirements],
    plan: (requirements) => [...install, '--dry-run', '--', ...requirements],
  };
}

function pipTool(python: string, facts: InterpreterFacts): InstallTool {
  const quiet = ['--no-input', '--disable-pip-version-check', '--progress-bar=off'];
  const install = ['-m', 'pip', 'install', ...quiet, ...breakSystemPackages(facts)];
  return {
    name: 'pip',
    file: python,
    install: (requirements) => [...install, '--', ...requirements],
    plan: (requirements) => [...install, '--dry-run', '--', ...requirements],
  };
}

function breakSystemPackages({ externallyManaged }: InterpreterFacts): readonly string[] {
  return externallyManaged ? ['--break-system-packages'] : [];
}

async function hasPip({ directories }: InterpreterFacts): Promise<boolean> {
  for (const directory of directories) {
    const found = await access(join(directory, 'pip/__main__.py')).then(
      () => true,
      () => false,
    );
    if (found) return true;
  }
  return false;
}
