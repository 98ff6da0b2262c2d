import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The repository's own directory. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** Ends the script with a message for the person who called it. */
export function fail(message) {
  process.stderr.write(`\n✗ ${message}\n`);
  process.exit(1);
}

/** Runs a command in the repository; ends the script with `what` and the output when it fails. */
export function run(what, file, args, options = {}) {
  const result = spawnSync(file, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  });
  if (result.status === 0) return result.stdout ?? '';
  const output = [result.stdout, result.stderr, result.error?.message].filter(Boolean).join('\n').trim();
  return fail(`${what} failed (${file} ${args.join(' ')}):\n${output.split('\n').slice(-40).join('\n')}`);
}

/** Runs a command with its output shown; returns its exit status. */
export function show(file, args, options = {}) {
  return (
    spawnSync(file, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], ...options }).status ?? 1
  );
}
