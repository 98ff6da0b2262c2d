import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { BrokenArchiveError } from './broken-archive-error.ts';

const script = fileURLToPath(new URL('../python/decompress.py', import.meta.url));
const longestReason = 500;
/** What the script ends with when the file wants for more memory than it may have. */
const memoryStatus = 3;

/** A Python interpreter and the environment it runs in. */
export interface Python {
  readonly python: string;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * What a bzip2 or xz file holds, decompressed by Python's own libraries in a process of their own: they are those that made such files, take a tenth
 * of the time that JavaScript does, and hold nothing else up.
 *
 * The stream fails with BrokenArchiveError when the file is damaged or not whole. The process ends with the stream.
 */
export function decompressWithPython(
  { python, env }: Python,
  format: 'bzip2' | 'xz',
  path: string,
  maxMemoryBytes: number,
): Readable {
  async function* decompressed(): AsyncGenerator<Buffer> {
    // Isolated: neither the environment nor packages have a say in what it imports.
    const child = spawn(python, ['-I', '-S', script, format, path, String(maxMemoryBytes)], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    let wantsMemory = false;
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-longestReason);
    });
    const ended = new Promise<string | undefined>((resolve) => {
      child.once('error', (error) => resolve(`Python can't be started to decompress it: ${error.message}`));
      child.once('close', (code, signal) => {
        wantsMemory = code === memoryStatus;
        resolve(code === 0 ? undefined : said.trim() || `Python ended with ${signal ?? `status ${code}`}`);
      });
    });
    try {
      yield* child.stdout as AsyncIterable<Buffer>;
      const failure = await ended;
      if (failure !== undefined)
        throw new BrokenArchiveError(failure, wantsMemory ? { bound: 'memory' } : {});
    } finally {
      child.kill('SIGKILL');
    }
  }
  return Readable.from(decompressed(), { objectMode: false });
}
