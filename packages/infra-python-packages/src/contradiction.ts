import { InstallError, type SecretRedactor } from '@flash/worker-core';
import { normalizeName, parseRequirement, type Requirement, sourceOf } from './requirement.ts';

/** Most requirements of one side that an error names. */
const mostNamed = 10;
const advice =
  'Ask for versions that agree, or set FLASH_ENVIRONMENTS=isolated, so that each set of dependencies has an environment of its own; a worker that is started anew has promised nothing.';

/** What pip says of its work before it fails: it names also what is not the reason. */
const progress =
  /^\s*(?:Looking in|Requirement already satisfied|Collecting|Using cached|Downloading|Preparing|Getting requirements|Obtaining|Processing|Found existing)\b/;

/** A requirement, and the text that the tool is given for it. */
export interface HandedRequirement {
  readonly requirement: string;
  readonly handed: string;
}

/** The two sides of a contradiction. */
export interface Sides {
  /** What the request asks for. */
  readonly wanted: readonly HandedRequirement[];
  /** What earlier requests were promised. */
  readonly promised: readonly HandedRequirement[];
}

/**
 * The error for a request whose own requirements can't be met together.
 *
 * @param reason - what the tool says.
 */
export function contradictsItself(
  requirements: readonly string[],
  reason: string,
  redactor: SecretRedactor,
): InstallError {
  const wanted = requirements.map((requirement) => ({ requirement, handed: requirement }));
  const [one = '', ...others] = named(wanted, reason);
  const what =
    others.length === 0
      ? `the Python dependency ${one} can't be installed: no set of versions meets it together with what it requires itself`
      : `the Python dependencies of this request contradict each other: no set of versions meets ${list([one, ...others])}; change one of them`;
  return conflict(requirements, `${what}\n${reason}`, redactor);
}

/** The error for a request that can't have what it asks for beside what earlier requests were promised. */
export function contradictsPromises(
  { wanted, promised }: Sides,
  reason: string,
  redactor: SecretRedactor,
): InstallError {
  const what = [
    `this request asks for ${list(named(wanted, reason))}, and earlier requests to this worker were promised ${list(named(promised, reason))}:`,
    'one interpreter can’t have both, and nothing was replaced.',
    advice,
  ];
  const requirements = wanted.map(({ requirement }) => requirement);
  return conflict(requirements, `${what.join(' ')}\n${reason}`, redactor);
}

/** The error for a request whose installation has replaced what a request that came meanwhile was promised. */
export function brokePromises(
  wanted: readonly string[],
  broken: readonly string[],
  redactor: SecretRedactor,
): InstallError {
  const what = `while ${list(wanted)} was being installed for this request, another one was promised ${list(broken)}, which was replaced by it. ${advice}`;
  return conflict(wanted, what, redactor);
}

/**
 * Finds two requirements of one package that come from different URLs. uv and pip compare versions only, and would replace the one with the
 * other where these are the same.
 */
export function differentSources(
  wanted: readonly string[],
  others: readonly string[],
): readonly [string, string] | undefined {
  for (const one of wanted) {
    for (const other of others) {
      if (areDifferentSources(parseRequirement(one), parseRequirement(other))) return [one, other];
    }
  }
  return undefined;
}

function areDifferentSources(one: Requirement, other: Requirement): boolean {
  if (one.type === 'ProjectName' || other.type === 'ProjectName' || sourceOf(one.url) === sourceOf(other.url))
    return false;
  if (one.type === 'ProjectURL' && other.type === 'ProjectURL')
    return normalizeName(one.name) === normalizeName(other.name);
  // A bare URL names no package: that two are of one package is known only of two revisions of one repository.
  return isVersionControl(one.url) && repositoryOf(one.url) === repositoryOf(other.url);
}

function isVersionControl(url: string): boolean {
  return /^(?:git|hg|svn|bzr)\+/.test(url);
}

/** A repository's URL without its revision, with the directory in it. */
function repositoryOf(url: string): string {
  const [address = '', directory = ''] = sourceOf(url).split('#', 2);
  const repository = address.replace(/(:\/\/[^@]*)@.*$/, '$1').replace(/\.git$/, '');
  return `${repository}#${directory}`;
}

/** The message is redacted: requirements of other requests may hold credentials. */
function conflict(packages: readonly string[], message: string, redactor: SecretRedactor): InstallError {
  return new InstallError('CONFLICT', packages, redactor.redact(message.trim()));
}

/** The requirements whose package the tool's reason mentions; all of them when it mentions none. */
function named(requirements: readonly HandedRequirement[], output: string): readonly string[] {
  const reason = output
    .split('\n')
    .filter((line) => !progress.test(line))
    .join('\n');
  const words = new Set(reason.split(/[^\w.-]+/).map(normalizeName));
  const mentioned = requirements.filter(({ handed }) => {
    const requirement = parseRequirement(handed);
    return requirement.type === 'BareURL'
      ? reason.includes(requirement.url)
      : words.has(normalizeName(requirement.name));
  });
  return (mentioned.length > 0 ? mentioned : requirements).map(({ requirement }) => requirement);
}

function list(requirements: readonly string[]): string {
  const shown = requirements.slice(0, mostNamed);
  if (shown.length < requirements.length)
    return `${shown.join(', ')} and ${requirements.length - shown.length} more`;
  const last = shown.at(-1) ?? '';
  return shown.length < 2 ? last : `${shown.slice(0, -1).join(', ')} and ${last}`;
}
