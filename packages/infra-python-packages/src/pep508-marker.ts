import { satisfies, valid } from '@renovatebot/pep440';
import type { EnvironmentMarker, EnvironmentMarkerLeaf } from 'pip-requirements-js';

/** Values of the marker variables for the target interpreter. */
export type Pep508Variables = Readonly<Record<string, string>>;

const versionVariables = new Set(['python_version', 'python_full_version', 'implementation_version']);

/** Whether a requirement's environment marker holds; `extra` is the extra that is being looked at, "" for none. */
export function pep508MarkerHolds(
  marker: EnvironmentMarker | undefined,
  environment: Pep508Variables,
  extra = '',
): boolean {
  if (marker === undefined) return true;
  if (marker.operator === 'and' || marker.operator === 'or') {
    const left = pep508MarkerHolds(marker.left, environment, extra);
    const right = pep508MarkerHolds(marker.right, environment, extra);
    return marker.operator === 'and' ? left && right : left || right;
  }
  return leafHolds(marker as EnvironmentMarkerLeaf, { ...environment, extra });
}

function leafHolds({ left, operator, right }: EnvironmentMarkerLeaf, environment: Pep508Variables): boolean {
  const [a, b] = [operandValue(left, environment), operandValue(right, environment)];
  if (operator === 'in') return b.includes(a);
  if (operator === 'not in') return !b.includes(a);
  const comparesVersions = versionVariables.has(left) || versionVariables.has(right);
  if (comparesVersions && valid(a) && operator !== '===')
    return satisfies(a, `${operator}${b}`, { prereleases: true });
  switch (operator) {
    case '==':
    case '===':
      return a === b;
    case '!=':
      return a !== b;
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
    default:
      return false;
  }
}

function operandValue(operand: string, environment: Pep508Variables): string {
  return /^['"]/.test(operand) ? operand.slice(1, -1) : (environment[operand] ?? '');
}
