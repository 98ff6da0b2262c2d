import { InstallError } from '@flash/worker-core';
import { LRUCache } from 'lru-cache';
import {
  parsePipRequirementsLine,
  type Requirement as PipRequirement,
  type ProjectNameRequirement,
  type ProjectURLRequirement,
} from 'pip-requirements-js';

/** A bare URL (`git+https://…`) names no distribution; it counts as installed when its URL is recorded as a source. */
interface BareUrlRequirement {
  readonly type: 'BareURL';
  readonly url: string;
}

export type Requirement = ProjectNameRequirement | ProjectURLRequirement | BareUrlRequirement;

/** An operator that the parser's types do not have either. */
const exactly = '===' as string as NonNullable<ProjectNameRequirement['versionSpec']>[number]['operator'];
const bareUrl = /^(?:(?:git|hg|svn|bzr)\+)?(?:https?|ssh|git|file):\/\/\S+$/;
const urlWithMarker = /^([^@;]+@\s*\S+)\s+;\s*(.+)$/;
const parsed = new LRUCache<string, Requirement>({ max: 1000 });

/**
 * Reads one requirement specifier (docs/reference/protocol.md, FunctionRequest).
 *
 * @throws InstallError (`INVALID_SPECIFIER`) for what is no requirement, or could reach the tool as an option.
 */
export function parseRequirement(specifier: string): Requirement {
  const known = parsed.get(specifier);
  if (known !== undefined) return known;
  const requirement = parse(specifier);
  parsed.set(specifier, requirement);
  return requirement;
}

function parse(specifier: string): Requirement {
  const text = specifier.trim();
  if (text === '') throw refused(specifier, 'it is empty');
  if (text.startsWith('-'))
    throw refused(specifier, 'it begins with "-" and would reach the installer as an option');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not pass
  if (/[\u0000-\u001f\u007f]/.test(text))
    throw refused(specifier, 'it holds a line end or another control character');
  if (bareUrl.test(text)) return { type: 'BareURL', url: text };
  let requirement: PipRequirement | null;
  try {
    requirement = parseLine(text);
  } catch (error) {
    throw refused(specifier, `it is no requirement: ${firstLine(error)}`);
  }
  if (requirement?.type === 'ProjectName' || requirement?.type === 'ProjectURL') return requirement;
  throw refused(specifier, 'it is no requirement of a package, such as "numpy>=2"');
}

/** The parser takes no marker behind a URL, which PEP 508 allows after a space: it is read by itself. */
function parseLine(text: string): PipRequirement | null {
  const [, project, marker] = urlWithMarker.exec(text) ?? [];
  if (project === undefined) return parseVersions(text);
  const requirement = parsePipRequirementsLine(project);
  const conditional = parsePipRequirementsLine(`conditional ; ${marker}`);
  if (requirement?.type !== 'ProjectURL' || conditional?.type !== 'ProjectName') return null;
  const { environmentMarkerTree } = conditional;
  return environmentMarkerTree === undefined ? null : { ...requirement, environmentMarkerTree };
}

/** The parser does not know `===` (PEP 440, arbitrary equality): it is given `==`, and what it has read gets the operator back. */
function parseVersions(text: string): PipRequirement | null {
  const [project = '', ...marker] = text.split(';');
  const exact = [...project.matchAll(/===\s*([^\s,]+)/g)].map(([, version]) => version);
  if (exact.length === 0) return parsePipRequirementsLine(text);
  const requirement = parsePipRequirementsLine([project.replaceAll('===', '=='), ...marker].join(';'));
  if (requirement?.type !== 'ProjectName') return requirement;
  const versionSpec = requirement.versionSpec?.map((spec) =>
    spec.operator === '==' && exact.includes(spec.version) ? { ...spec, operator: exactly } : spec,
  );
  return versionSpec === undefined ? requirement : { ...requirement, versionSpec };
}

function refused(specifier: string, why: string): InstallError {
  const shown = JSON.stringify(specifier.slice(0, 100));
  return new InstallError(
    'INVALID_SPECIFIER',
    [specifier],
    `the Python dependency ${shown} is refused: ${why}`,
  );
}

function firstLine(error: unknown): string {
  return (error as Error).message.trim().split('\n').at(-1)?.slice(0, 200) ?? 'it can not be parsed';
}

/**
 * Where a URL leads, in the form in which installed metadata records it: without credentials, and of its fragment only the directory in the
 * repository.
 */
export function sourceOf(url: string): string {
  const [address = '', fragment = ''] = url.split('#', 2);
  const subdirectory = /(?:^|&)subdirectory=([^&]+)/.exec(fragment)?.[1];
  const place = address.replace(/^([\w+]+:\/\/)[^/@]*@/, '$1');
  return subdirectory === undefined ? place : `${place}#subdirectory=${subdirectory}`;
}

/** Names compare without case and with runs of `-`, `_`, `.` alike. */
export function normalizeName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}
