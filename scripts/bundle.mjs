/**
 * Bundles the apps for images and archives: npm run bundle [-- DIRECTORY]; default: bundle/.
 *
 * Each app becomes one file that is loaded at once, and one for each way to run that it loads when it is asked for; beside them the process of
 * the volume's cache, and flash_runner. The layout is that of the packages, so that each part finds the others where it looks for them.
 */
import { cpSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { build } from 'esbuild';
import { root, run } from './lib/run.mjs';

const target = resolve(root, process.argv[2] ?? 'bundle');
const cacheProcess = join(root, 'packages/infra-volume-cache/src/process');

/**
 * CommonJS: an ES module that imports `node:http` has Node look at all that it exports, and with it load its WebSocket and fetch, which takes
 * as long as the rest of a start.
 */
const banner = 'const bundleUrl = require("node:url").pathToFileURL(__filename).href;';
const common = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'cjs',
  define: { 'import.meta.url': 'bundleUrl' },
  supported: { 'dynamic-import': false },
  conditions: ['source'],
  // Not the names: they are in errors and logs, and to keep them beside shorter ones takes a tenth of a start.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'linked',
  banner: { js: banner },
  logLevel: 'warning',
};

/** What an app starts with is a file of its own: it turns the compile cache on, which is of no use to itself. */
const startApart = {
  name: 'start-apart',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/start\.ts$/ }, () => ({ path: './start.js', external: true }));
  },
};

/** All but the look at Node's version. */
const launchApart = {
  name: 'launch-apart',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/launch\.ts$/ }, () => ({ path: './launch.js', external: true }));
  },
};

/**
 * Libraries that no start needs, each a file of its own: what is in an app's file is read and compiled with it, used or not. They hand out
 * functions and data; no code asks what class something of theirs is of.
 */
const later = ['undici', 'execa', 'pip-requirements-js', 'tar-stream', 'prom-client'];
/** Files of ours around libraries of that kind; they import nothing of ours that others import. */
const laterFiles = ['open-telemetry'];
/** The files of those that were met. */
const found = {};
const librariesApart = {
  name: 'libraries-apart',
  setup({ onResolve, resolve: resolvePath }) {
    onResolve({ filter: new RegExp(`^(?:${later.join('|')})$`) }, async ({ path, pluginData, ...from }) => {
      if (pluginData === 'looking') return undefined;
      const { kind, importer, resolveDir } = from;
      found[path] = (await resolvePath(path, { kind, importer, resolveDir, pluginData: 'looking' })).path;
      return { path: `../library/${path}.js`, external: true };
    });
    onResolve({ filter: new RegExp(`^\\./(?:${laterFiles.join('|')})\\.ts$`) }, ({ path, resolveDir }) => {
      const name = basename(path, '.ts');
      found[name] = join(resolveDir, path);
      return { path: `../library/${name}.js`, external: true };
    });
  },
};

/**
 * zod is loaded when a schema is first asked for something, which a start does not do. A `z.lazy` that was only declared does not ask: its
 * stand-in hands everything on to the real one.
 */
const zodLater = {
  name: 'zod-later',
  setup({ onResolve, onLoad, resolve: resolvePath }) {
    onResolve({ filter: /^zod$/ }, async ({ pluginData, ...from }) => {
      if (pluginData === 'looking') return undefined;
      const { kind, importer, resolveDir } = from;
      found.zod = (await resolvePath('zod', { kind, importer, resolveDir, pluginData: 'looking' })).path;
      return { path: 'zod', namespace: 'later' };
    });
    onResolve({ filter: /^\.\.\/library\/zod\.js$/ }, ({ path }) => ({ path, external: true }));
    onLoad({ filter: /.*/, namespace: 'later' }, () => ({ contents: laterZod }));
  },
};
const zod = await import('zod');
const forwarded = (path, key) => `(...args) => real().${path}${key}(...args)`;
const laterZod = [
  'let zod; const real = () => (zod ??= require("../library/zod.js"));',
  `export const lazy = (make) => {
    let schema;
    return new Proxy({}, {
      get: (_, key) => Reflect.get((schema ??= real().lazy(make)), key),
      has: (_, key) => key in (schema ??= real().lazy(make)),
    });
  };`,
  `export const coerce = { ${Object.keys(zod.coerce).map((key) => `${key}: ${forwarded('coerce.', key)}`)} };`,
  ...Object.keys(zod)
    .filter((key) => /^[a-z]\w*$/.test(key) && key !== 'lazy' && typeof zod[key] === 'function')
    .map((key) => `const _${key} = ${forwarded('', key)}; export { _${key} as ${key} };`),
].join('\n');

/**
 * Modules of Node are looked up once for the whole file, name by name. Without this every file that imports one of them gets a copy with a
 * getter for each of its names, which takes a twentieth of a start, and every call goes through such a getter.
 */
/**
 * Those are loaded when something of them is first called: no worker needs them to get ready, and together they take 4 ms. Only their plain
 * functions can be had so; a file that imports a class of theirs fails in esbuild, which says that it is not there.
 */
const lateBuiltins = ['node:crypto', 'node:perf_hooks', 'node:zlib'];
const lateBuiltin = (path, names) =>
  [
    // Looked up once: to ask for it takes as long as to make a random id.
    `let late; const real = () => (late ??= require(${JSON.stringify(path)}));`,
    ...names
      .filter((name) => /^[a-z]/.test(name) && name !== 'real' && name !== 'late')
      .map((name) => `export const ${name} = (...args) => real().${name}(...args);`),
  ].join('\n');

const builtinsOnce = {
  name: 'builtins-once',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === 'import-statement' ? { path, namespace: 'builtin' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'builtin' }, async ({ path }) => {
      const names = Object.keys(await import(path)).filter((name) =>
        /^(?!default$)[A-Za-z_$][\w$]*$/.test(name),
      );
      if (lateBuiltins.includes(path)) return { contents: lateBuiltin(path, names) };
      const exported = names.map(
        (name) => `export const ${name} = /* @__PURE__ */ (() => builtin.${name})();`,
      );
      return {
        contents: [
          `const builtin = require(${JSON.stringify(path)});`,
          'export default builtin;',
          ...exported,
        ].join('\n'),
      };
    });
  },
};

/** The logger has threads of its own, which are never used here, and checks one argument: for that it would have Node load two modules. */
const substitutes = {
  worker_threads: 'module.exports = { isMainThread: true };',
  'thread-stream': 'module.exports = class {};',
  assert:
    'module.exports = (value, message) => { if (!value) throw new Error(message ?? "a check failed"); };',
};
const lightLogger = {
  name: 'light-logger',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(?:worker_threads|thread-stream|assert)$/ }, ({ path, importer }) =>
      /node_modules\/(?:pino|sonic-boom)\//.test(importer) ? { path, namespace: 'substitute' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'substitute' }, ({ path }) => ({ contents: substitutes[path] }));
  },
};

/** The client speaks HTTP/1.1 alone; undici does without `node:http2` where there is none, and Node takes as long to load it as all else of undici. */
const withoutHttp2 = {
  name: 'without-http2',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:http2$/ }, ({ path }) => ({ path, namespace: 'absent' }));
    onLoad({ filter: /.*/, namespace: 'absent' }, ({ path }) => ({
      contents: `throw new Error(${JSON.stringify(`${path} is not in this bundle`)});`,
    }));
  },
};

rmSync(target, { recursive: true, force: true });
for (const app of ['lb-app', 'qb-app', 'gateway']) {
  const outdir = join(target, app);
  await build({
    ...common,
    outdir,
    entryPoints: [join(root, 'apps', app, 'src/launch.ts')],
    plugins: [startApart, librariesApart, zodLater, builtinsOnce],
  });
  // What looks at Node's version is in a file that any Node can read.
  await build({
    ...common,
    outdir,
    target: 'es2015',
    banner: {},
    define: {},
    entryPoints: [join(root, 'apps', app, 'src/main.ts')],
    plugins: [launchApart],
  });
  if (existsSync(join(root, 'apps', app, 'src/start.ts')))
    await build({
      ...common,
      outdir,
      entryPoints: [join(root, 'apps', app, 'src/start.ts')],
      plugins: [librariesApart, zodLater, builtinsOnce, lightLogger],
    });
  if (app === 'gateway') continue;
  await build({
    ...common,
    outdir: join(outdir, 'process'),
    entryPoints: [join(cacheProcess, 'main.ts'), join(cacheProcess, 'restore-thread.ts')],
  });
}
await build({
  ...common,
  outdir: join(target, 'library'),
  entryPoints: { ...found, undici: join(root, 'scripts/lib/undici-agent.cjs') },
  plugins: [withoutHttp2],
});
await build({
  ...common,
  format: 'esm',
  banner: {},
  define: {},
  entryPoints: [join(root, 'scripts/self-test.mjs')],
  outfile: join(target, 'self-test/main.js'),
});
writeFileSync(join(target, 'self-test/package.json'), '{"type":"module"}\n');
writeFileSync(join(target, 'package.json'), '{"type":"commonjs"}\n');
for (const source of [
  'infra-python-bridge/python/flash_runner',
  'infra-tracing/python/send_traces.py',
  'tar-archive/python/decompress.py',
])
  cpSync(join(root, 'packages', source), join(target, 'python', basename(source)), {
    recursive: true,
    filter: (path) => !path.endsWith('__pycache__'),
  });
run('building the console', process.execPath, [
  join(root, 'packages/queue-gateway/console/build.mjs'),
  join(target, 'console/dist'),
]);
