import type { CommandResult } from '@flash/command-runner';
import { InstallError, type InstallFailure, type SecretRedactor } from '@flash/worker-core';
import { contradictsItself } from './contradiction.ts';
import type { PythonPackagesSettings } from './settings.ts';

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
  'was not found in the (?:package registry|provided package locations)',
  'No matching distribution found',
  'Could not find a version that satisfies',
];
/** How uv and pip say that requirements can't be met together. A version that is asked for by name and is missing is told alike by uv. */
const conflicting = [
  'Because you require',
  String.raw`\bdepends? on\b[^]*unsatisfiable`,
  'conflicting URLs',
  'conflicting dependencies',
  'ResolutionImpossible',
];
const otherPython = /does not satisfy Python/;
const failures: readonly [InstallFailure, RegExp][] = [
  ['COMPILER_MISSING', new RegExp(compilerMissing.join('|'), 'i')],
  ['NOT_FOUND', new RegExp(notFound.join('|'), 'i')],
  ['FAILED', otherPython],
  ['CONFLICT', new RegExp(conflicting.join('|'), 'i')],
  ['NOT_FOUND', /there (?:is|are) no versions? of/i],
];

/** What a tool's output says about its failure. */
export function failureKind(output: string): InstallFailure {
  return failures.find(([, pattern]) => pattern.test(output))?.[0] ?? 'FAILED';
}

/** The end of a tool's output, which has its reason. */
export function toolReason({ output }: CommandResult): string {
  return output.split('\n').slice(-reasonLines).join('\n');
}

/** What went wrong with an installation, in words its requester can act on. */
export function installFailure(
  packages: readonly string[],
  file: string,
  result: CommandResult,
  { redactor, settings }: { readonly redactor: SecretRedactor; readonly settings: PythonPackagesSettings },
): InstallError {
  const what = redactor.redact(`installing the Python packages ${packages.join(', ')}`);
  const tail = redactor.redact(toolReason(result));
  const failed = (kind: InstallFailure, how: string): InstallError =>
    new InstallError(kind, packages, `${what} ${how}`);
  switch (result.end) {
    case 'timed-out':
      return failed(
        'TIMED_OUT',
        `took longer than ${settings.FLASH_INSTALL_TIMEOUT_MS} ms and was stopped; raise FLASH_INSTALL_TIMEOUT_MS\n${tail}`,
      );
    case 'cancelled':
      return failed('CANCELLED', 'was cancelled');
    case 'not-started':
      return failed('TOOL_MISSING', `failed: ${file} could not be started: ${tail}`);
    case 'exited': {
      const kind = failureKind(result.output);
      return kind === 'CONFLICT'
        ? contradictsItself(packages, tail, redactor)
        : failed(kind, `failed:\n${tail}`);
    }
  }
}
