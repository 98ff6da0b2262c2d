import { hash } from 'node:crypto';
import type { EnvironmentMarker, EnvironmentMarkerLeaf } from 'pip-requirements-js';
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
  if (requirement.type === 'BareURL') return requirement.url;
  const { environmentMarkerTree: marker, extras = [] } = requirement;
  const condition = marker === undefined ? '' : ` ; ${pep508MarkerText(marker)}`;
  const wanted = [...new Set(extras.map(normalizeName))].sort().join(',');
  const name = normalizeName(requirement.name) + (wanted === '' ? '' : `[${wanted}]`);
  if (requirement.type === 'ProjectURL') return `${name} @ ${requirement.url}${condition}`;
  const versions = (requirement.versionSpec ?? []).map(({ operator, version }) => operator + version).sort();
  return name + versions.join(',') + condition;
}

function pep508MarkerText(marker: EnvironmentMarker): string {
  if (marker.operator === 'and' || marker.operator === 'or')
    return `(${pep508MarkerText(marker.left)} ${marker.operator} ${pep508MarkerText(marker.right)})`;
  const { left, operator, right } = marker as EnvironmentMarkerLeaf;
  return [left, operator, right].map(withDoubleQuotes).join(' ');
}

function withDoubleQuotes(operand: string): string {
  return /^'[^"]*'$/.test(operand) ? `"${operand.slice(1, -1)}"` : operand;
}

function digest(value: unknown, characters: number): string {
  return hash('sha256', JSON.stringify(value), 'hex').slice(0, characters);
}
