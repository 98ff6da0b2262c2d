import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { InstalledDistributions } from './installed-distributions.ts';
import { parseRequirement } from './requirement.ts';
import { Satisfaction } from './satisfaction.ts';

const pep508Variables = {
  python_version: '3.11',
  python_full_version: '3.11.7',
  sys_platform: 'linux',
  os_name: 'posix',
  platform_machine: 'x86_64',
};

describe('Satisfaction', () => {
  let site: string;
  const distributions = new InstalledDistributions();
  const install = async (name: string, version: string, requires: string[] = [], directUrl?: object) => {
    const info = join(site, `${name}-${version}.dist-info`);
    await mkdir(info);
    const metadata = [
      'Metadata-Version: 2.1',
      `Name: ${name}`,
      ...requires.map((line) => `Requires-Dist: ${line}`),
      '',
      'Requires-Dist: not-a-header',
    ];
    await writeFile(join(info, 'METADATA'), metadata.join('\n'));
    await writeFile(
      join(info, 'RECORD'),
      `${name}/__init__.py,,\n${name}_extra.py,,\n${name}-${version}.dist-info/RECORD,,\n`,
    );
    if (directUrl) await writeFile(join(info, 'direct_url.json'), JSON.stringify(directUrl));
  };
  const isMet = async (specifier: string): Promise<boolean> =>
    new Satisfaction(await distributions.read([site]), distributions, pep508Variables).isMet(
      parseRequirement(specifier),
    );

  beforeAll(async () => {
    site = await mkdtemp(join(tmpdir(), 'site-'));
    await install('six', '1.16.0');
    await install('My_Dist', '2.0rc1');
    await install('parent', '1.0', [
      'six>=1.10',
      'absent; extra == "more"',
      'six<1; sys_platform == "win32"',
    ]);
    await install('broken', '1.0', ['absent>=1']);
    await install('circle_a', '1.0', ['circle-b']);
    await install('circle_b', '1.0', ['circle-a']);
    await install('from_git', '0.1', [], {
      url: 'https://example.com/r.git',
      vcs_info: { vcs: 'git', requested_revision: 'v1', commit_id: 'c' },
    });
    await install('from_directory', '0.1', [], {
      url: 'https://example.com/mono.git',
      vcs_info: { vcs: 'git', requested_revision: 'v1', commit_id: 'c' },
      subdirectory: 'one',
    });
    await install('torch', '2.9.1+cu128');
  });
  afterAll(() => rm(site, { recursive: true }));

  it.each([
    ['six', true],
    ['SIX', true],
    ['six==1.16.0', true],
    ['six>=1.10,<2', true],
    ['six~=1.15', true],
    ['six==1.16.*', true],
    ['six===1.16.0', true],
    ['six === 1.16', false],
    ['six>=1,===1.15.0 ; python_version > "3"', false],
    ['my-dist===2.0rc1', true],
    ['six!=1.16.0', false],
    ['six>1.16.0', false],
    ['six==1.17', false],
    ['my.dist', true],
    ['my-dist>=2.0rc1', true],
    ['torch==2.9.1', true],
    ['torch>=2.9', true],
    ['absent', false],
    ['absent; python_version < "3.11"', true],
    ['absent; python_version >= "3.11"', false],
    ['absent; python_version < "3.8" or sys_platform == "darwin"', true],
    ['absent; python_full_version >= "3.11.5" and os_name == "posix"', false],
    ['absent; platform_machine in "arm64 aarch64"', true],
    ['absent ; sys_platform not in "linux"', true],
    ['parent', true],
    ['parent[more]', false],
    ['broken', false],
    ['circle-a', true],
    ['git+https://example.com/r.git@v1', true],
    ['git+https://example.com/r.git@v2', false],
    ['from-git @ git+https://example.com/r.git@v1', true],
    ['six @ git+https://example.com/r.git@v1', false],
    ['six @ git+https://example.com/r.git@v1 ; python_version < "3"', true],
    ['from-git @ git+https://example.com/r.git@v1 ; python_version > "3"', true],
    ['from-git @ git+https://example.com/r.git@v2 ; python_version > "3"', false],
    ['git+https://user:token@example.com/r.git@v1', true],
    ['git+https://example.com/mono.git@v1#subdirectory=one', true],
    ['git+https://example.com/mono.git@v1#egg=x&subdirectory=one', true],
    ['git+https://example.com/mono.git@v1#subdirectory=two', false],
    ['git+https://example.com/mono.git@v1', false],
  ])('%s is met: %s', async (specifier, expected) => {
    expect(await isMet(specifier)).toBe(expected);
  });

  it('sees what is installed later', async () => {
    expect(await isMet('later')).toBe(false);
    await install('later', '1.0');
    expect(await isMet('later')).toBe(true);
  });

  it('knows the import names of a distribution', async () => {
    const six = (await distributions.read([site])).get('six');
    expect(six && (await distributions.topLevelModules(six))).toEqual(['six', 'six_extra']);
  });
});

describe('parseRequirement', () => {
  it.each([
    '',
    '  ',
    '-r requirements.txt',
    '--index-url=https://evil.example',
    '-e .',
    'six\n--option',
    'six\r\nother',
    'a b c',
    'a @ https://x/y.whl ; nonsense',
    'a @ https://x/y.whl b ; os_name == "nt"',
    'six==',
    '# comment',
    '/etc/passwd',
    './local',
  ])('refuses %j and names it', (specifier) => {
    expect(() => parseRequirement(specifier)).toThrow(
      expect.objectContaining({ code: 'INSTALL', failure: 'INVALID_SPECIFIER' }),
    );
  });

  it.each([
    'six',
    'six==1.16.0',
    'uvicorn[standard]>=0.20',
    'pkg @ https://example.com/p.whl',
    'git+https://github.com/o/r.git@main#egg=r',
    'a; python_version<"3"',
  ])('takes %j', (specifier) => {
    expect(() => parseRequirement(specifier)).not.toThrow();
  });
});
