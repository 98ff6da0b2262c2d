/** Builds the console's page, everything it needs included: node build.mjs [DIRECTORY]; default: dist/ beside this file. */
import { cpSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const target = process.argv[2] === undefined ? join(here, 'dist') : resolve(process.argv[2]);

rmSync(target, { recursive: true, force: true });
await build({
  entryPoints: { console: join(here, 'src/main.tsx') },
  outdir: target,
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['es2024'],
  legalComments: 'linked',
  logLevel: 'warning',
});
cpSync(join(here, 'index.html'), join(target, 'index.html'));
