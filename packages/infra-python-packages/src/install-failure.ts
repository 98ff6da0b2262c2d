import type { CommandResult } from '@flash/command-runner';
import { InstallError, type InstallFailure, type SecretRedactor } from '@flash/worker-core';
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
  'was not found in the package registry',
  'No matching distribution found',
  'Could not find a version that satisfies',
  'there (?:is|are) no versions? of',
];
const failures: readonly [InstallFailure, RegExp][] = [
  ['COMPILER_MISSING', new RegExp(compilerMissing.join('|'), 'i')],
  ['NOT_FOUND', new RegExp(notFound.join('|'), 'i')],
];

/** What went wrong with an installation, in words its requester can act on. */
export function installFailure(
  packages: readonly string[],
  file: string,
  result: CommandResult,
  { redactor, settings }: { readonly redactor: SecretRedactor; readonly settings: PythonPackagesSettings },
): InstallError {
  const what = `installing the Python packages ${packages.join(', ')}`;
  const tail = redactor.redact(result.output.split('\n').slice(-reasonLines).join('\n'));
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
      const kind = failures.find(([, pattern]) => pattern.test(result.output))?.[0] ?? 'FAILED';
      return failed(kind, `failed:\n${tail}`);
    }
  }
}
