import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

const knownPth = new Set(['_flash_base.pth', '_virtualenv.pth']);
/** What is imported when Python starts here, before any request: it must be the environment's own, if that has one. */
const importedAtStart = ['cloudpickle', 'sitecustomize', 'usercustomize'];

/** What Python looks at when it starts in an environment, and what tells whether it may, as globs of paths. */
export const skeleton: readonly string[] = [
  'pyvenv.cfg',
  'bin/*',
  '**/site-packages/*.pth',
  '**/_virtualenv.py',
  ...importedAtStart.map((module) => `**/site-packages/${module}{.*,/__init__.*}`),
];

/** The tests that packages bring along: often half of all files, and hardly ever looked at. As globs of paths. */
export const testsOfPackages: readonly string[] = ['**/site-packages/*/**/{test,tests}/**'];

/** Whether Python may start while the environment's packages are still on their way: nothing of them has a part in its start. */
export async function mayStartEarly(environment: string): Promise<boolean> {
  const library = join(environment, 'lib');
  for (const python of await readdir(library)) {
    const names = await readdir(join(library, python, 'site-packages')).catch((): string[] => []);
    if (names.some((name) => name.endsWith('.pth') && !knownPth.has(name))) return false;
    if (names.some((name) => importedAtStart.includes(name.split('.', 1)[0] ?? ''))) return false;
  }
  return true;
}
