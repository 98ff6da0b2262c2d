import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

const knownPth = new Set(['_flash_base.pth', '_virtualenv.pth']);
/** Modules that Python imports when it starts in an environment, before any request: the environment's own copy must be there by then, if it has one. */
const importedAtStart = ['cloudpickle', 'sitecustomize', 'usercustomize'];

/** Files that Python reads when it starts in an environment, and those that tell whether it may start early, as globs of paths. */
export const skeleton: readonly string[] = [
  'pyvenv.cfg',
  'bin/*',
  '**/site-packages/*.pth',
  '**/_virtualenv.py',
  ...importedAtStart.map((module) => `**/site-packages/${module}{.*,/__init__.*}`),
];

/** The tests that packages bring along: often half of all files, and hardly ever looked at. As globs of paths. */
export const testsOfPackages: readonly string[] = ['**/site-packages/*/**/{test,tests}/**'];

/** Whether Python may start while the environment's packages are still coming: it may when its start reads none of them. */
export async function mayStartEarly(environment: string): Promise<boolean> {
  const library = join(environment, 'lib');
  for (const python of await readdir(library)) {
    const names = await readdir(join(library, python, 'site-packages')).catch((): string[] => []);
    if (names.some((name) => name.endsWith('.pth') && !knownPth.has(name))) return false;
    if (names.some((name) => importedAtStart.includes(name.split('.', 1)[0] ?? ''))) return false;
  }
  return true;
}
