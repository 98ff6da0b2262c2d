import { fileURLToPath } from 'node:url';

const pythonRoot = fileURLToPath(new URL('../python', import.meta.url));

/**
 * Python code that runs a module of flash_runner. The package's place is on the search path only while it is imported: user code must
 * not see a directory of ours.
 *
 * @param module - name of a module below flash_runner that has `main()`.
 */
export function bootstrap(module: string): string {
  return [
    'import sys',
    'sys.path[:] = [p for p in sys.path if p]',
    `sys.path.insert(0, ${JSON.stringify(pythonRoot)})`,
    `from flash_runner.${module} import main`,
    'sys.path.pop(0)',
    'main()',
  ].join('; ');
}
