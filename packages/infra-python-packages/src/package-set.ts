import { hash } from 'node:crypto';
import type { Distribution } from './installed-distributions.ts';
import { normalizeName, parseRequirement } from './requirement.ts';
import type { InterpreterFacts } from './target-interpreter.ts';

/** Is raised when the form of what is stored under an id changes. */
const format = 1;

/**
 * The requirements in one form for all the ways to write them: sorted, each once, names normalized.
 *
 * @throws InstallError (`INVALID_SPECIFIER`)
 */
export function normalizeRequirements(requirements: readonly string[]): readonly string[] {
  return [...new Set(requirements.map(normalize))].sort();
}

/** A short digest of an interpreter: its version, platform, place and packages. */
export function baseFingerprint(
  facts: InterpreterFacts,
  installed: ReadonlyMap<string, Distribution>,
): string {
  const packages = [...installed.values()].map(({ name, version }) => `${name}==${version}`).sort();
  const { python_full_version, sys_platform, platform_machine, implementation_name } = facts.pep508Variables;
  const platform = [python_full_version, sys_platform, platform_machine, implementation_name];
  return digest([format, facts.purelib, platform, packages], 12);
}

/** Id of a set of requirements on a base: equal for equal sets on equal bases, and different for all others. */
export function packageSetId(base: string, normalized: readonly string[]): string {
  return `${base}-${digest([base, normalized], 24)}`;
}

function normalize(specifier: string): string {
  const requirement = parseRequirement(specifier);
  const text = specifier.trim().replace(/\s+/g, ' ');
  if (requirement.type === 'BareURL') return text;
  const rest = text.slice(requirement.name.length).replace(/ ?([<>=!~,;[\]()@]+) ?/g, '$1');
  return normalizeName(requirement.name) + rest.trim();
}

function digest(value: unknown, characters: number): string {
  return hash('sha256', JSON.stringify(value), 'hex').slice(0, characters);
}
