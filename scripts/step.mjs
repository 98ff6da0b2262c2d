/**
 * Runs a command line; on a terminal it shows what is under way and for how long, and the command's words when it has ended:
 * node scripts/step.mjs TITLE COMMAND [ARGUMENTS OF IT].
 */
import { spawn } from 'node:child_process';
import yoctoSpinner from 'yocto-spinner';

const [title, line, ...more] = process.argv.slice(2);
const command = [line, ...more.map((argument) => `'${argument.replaceAll("'", "'\\''")}'`)].join(' ');
const isShown = process.stderr.isTTY === true;
const output = isShown ? 'pipe' : 'inherit';
const child = spawn(command, {
  shell: true,
  stdio: ['ignore', output, output],
  // A program that writes to a pipe leaves its colours out.
  env: isShown ? { FORCE_COLOR: '1', ...process.env } : process.env,
});
const pieces = [];
for (const stream of [child.stdout, child.stderr]) stream?.on('data', (piece) => pieces.push(piece));
const startedAt = Date.now();
const spinner = isShown ? yoctoSpinner({ text: title }).start() : undefined;
const timer = setInterval(() => {
  if (spinner !== undefined) spinner.text = `${title}, ${Math.round((Date.now() - startedAt) / 1000)} s`;
}, 1000);
child.once('close', (code, signal) => {
  clearInterval(timer);
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  if (code === 0) spinner?.success(`${title}, ${seconds} s`);
  else spinner?.error(`${title} failed after ${seconds} s`);
  process.stdout.write(Buffer.concat(pieces));
  process.exitCode = code ?? (signal === null ? 1 : 130);
});
