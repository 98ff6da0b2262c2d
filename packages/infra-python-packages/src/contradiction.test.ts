import { SecretRedactor } from '@flash/worker-core';
import { describe, expect, it } from '@jest/globals';
import { contradictsPromises, differentSources } from './contradiction.ts';

describe('differentSources', () => {
  it.each([
    ['two revisions', 'git+https://x.org/o/r@v1', 'git+https://x.org/o/r.git@v2', true],
    ['the same revision', 'git+https://x.org/o/r@v1', 'git+https://x.org/o/r@v1', false],
    ['other credentials', 'git+https://u:p@x.org/o/r@v1', 'git+https://x.org/o/r@v1', false],
    ['a name for one of its fragment', 'git+https://x.org/o/r@v1#egg=r', 'git+https://x.org/o/r@v1', false],
    [
      'two directories of one repository',
      'git+https://x.org/o/r@v1#subdirectory=a',
      'git+https://x.org/o/r@v2#subdirectory=b',
      false,
    ],
    ['two archives of one package', 'A-b @ https://x.org/1.whl', 'a.B @ https://x.org/2.whl', true],
    ['archives of two packages', 'a @ https://x.org/1.whl', 'b @ https://x.org/2.whl', false],
    ['two nameless archives', 'https://x.org/1.whl', 'https://x.org/2.whl', false],
    ['a name, then a revision', 'r @ git+https://x.org/o/r@v1', 'git+https://x.org/o/r@v2', true],
    ['a version, which the tool looks at', 'a==1', 'a @ https://x.org/2.whl', false],
  ])('%s: %s and %s: %s', (_, one, other, isContradiction) => {
    expect(differentSources([one], [other])).toEqual(isContradiction ? [one, other] : undefined);
  });
});

it('an error names what the reason mentions, of a bounded number of requirements', () => {
  const as = (requirement: string) => ({ requirement, handed: requirement });
  const promised = Array.from({ length: 30 }, (_, at) => as(`package-${at}`));
  const sides = { wanted: [as('Wanted-One==1'), as('other')], promised };
  const { message } = contradictsPromises(
    sides,
    'you require wanted-one==1 and package_7',
    new SecretRedactor([]),
  );
  expect(message).toContain(
    'asks for Wanted-One==1, and earlier requests to this worker were promised package-7:',
  );
  expect(contradictsPromises(sides, '', new SecretRedactor([])).message).toContain('package-9 and 20 more');
});

it('what pip says of its work before it fails is no reason', () => {
  const as = (requirement: string) => ({ requirement, handed: requirement });
  const said = [
    'Looking in links: /wheels/bystander',
    'Requirement already satisfied: bystander in ./site-packages (2.0)',
    'Collecting culprit==2',
    '  Downloading culprit-2-py3-none-any.whl (29 kB)',
    'ERROR: Cannot install culprit==1 and culprit==2 because these package versions have conflicting dependencies.',
  ].join('\n');
  const sides = { wanted: [as('culprit==2')], promised: [as('bystander'), as('culprit==1')] };
  expect(contradictsPromises(sides, said, new SecretRedactor([])).message).toContain(
    'earlier requests to this worker were promised culprit==1: one interpreter',
  );
});
