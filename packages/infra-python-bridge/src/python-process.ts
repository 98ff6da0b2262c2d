import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

// Bundles have the directory at the same place beside their one file: that is why this file lies in no room.
const pythonRoot = fileURLToPath(new URL('../python', import.meta.url));

/**
 * Starts Python with a module of flash_runner, whose `main()` talks to this process over descriptor 3. Loads next to nothing: an app may
 * start one before all else.
 *
 * @param python - path of the interpreter.
 * @param module - name of the module below flash_runner.
 * @param env - environment of user code.
 * @param options - flags of the interpreter, and arguments of the module.
 */
export function spawnPython(
  python: string,
  module: string,
  env: NodeJS.ProcessEnv,
  { flags = [], args = [] }: { readonly flags?: readonly string[]; readonly args?: readonly string[] } = {},
): ChildProcess {
  const child = spawn(python, [...flags, '-c', bootstrap(module), ...args], {
    env,
    // Descriptor 3 is the control connection.
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    // A session of its own: an interrupt from the terminal is for the supervisor alone, which then drains.
    detached: true,
  });
  // A process that can't be started is noticed by the caller's own listener, which may be added later.
  child.on('error', () => {});
  return child;
}

/** Kills a process with all it has started in its group. It may be gone already. */
export function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // already gone
  }
}

/** The package's directory is on the search path only while the module is imported: user code must not see it there. */
function bootstrap(module: string): string {
  return [
    'import sys',
    'sys.path[:] = [p for p in sys.path if p]',
    `sys.path.insert(0, ${JSON.stringify(pythonRoot)})`,
    `from flash_runner.${module} import main`,
    'sys.path.pop(0)',
    'main()',
  ].join('; ');
}
