import { InstallError } from '@flash/worker-core';

/** A Debian package as a request names it: `name`, `name:arch`, `name=version`. */
export interface PackageSpecifier {
  readonly name: string;
  readonly architecture: string | undefined;
  readonly version: string | undefined;
}

const specifierPattern = /^([a-z0-9][a-z0-9+.-]+)(?::([a-z0-9-]+))?(?:=([A-Za-z0-9.+:~-]+))?$/;

/**
 * Reads one system dependency (docs/reference/protocol.md, FunctionRequest).
 *
 * @throws InstallError (`INVALID_SPECIFIER`) for what is no package name, before any tool sees it.
 */
export function parsePackage(specifier: string): PackageSpecifier {
  const match = specifierPattern.exec(specifier.trim());
  // apt-get takes a trailing "-" as "remove" and "+" as "install".
  if (match === null || /[-]$/.test(match[1] ?? '')) {
    const shown = JSON.stringify(specifier.slice(0, 100));
    throw new InstallError(
      'INVALID_SPECIFIER',
      [specifier],
      `the system dependency ${shown} is refused: it is no Debian package name, "name" or "name=version"`,
    );
  }
  return { name: match[1] ?? '', architecture: match[2], version: match[3] };
}

/** The form the tools take. */
export function formatPackage({ name, architecture, version }: PackageSpecifier): string {
  return `${name}${architecture ? `:${architecture}` : ''}${version ? `=${version}` : ''}`;
}
