/** Says what each npm script is for; with --check only whether all are described. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail, root } from './lib/run.mjs';

const groups = {
  'To begin': {
    setup: 'packages, Python environment, build; with -- --dev also the tools and clients that tests use',
    quickstart: 'a worker and its queue API, three sample requests, their live logs',
    gateway: 'the queue API of the platform on this machine, for workers and clients',
    worker: 'a queue worker for that gateway',
    dev: 'a worker from the sources, started anew on every change; -- lb or -- qb',
    help: 'this',
  },
  Tests: {
    test: 'all: jest over the TypeScript, pytest over flash_runner on Python 3.10 to 3.14; -- --testPathPatterns NAME for a part',
    'test:unit': 'those beside the sources; no Python needed',
    'test:integration': 'those that use real Python, uv, sockets, clients',
    'test:coverage': 'all, and what of the sources they use; fails below the thresholds',
    'test:fast': 'until the first that fails',
    'test:python': 'flash_runner on Python 3.10 to 3.14; -- --version 3.12 -k NAME FILE for a part',
    'test:handler': 'every examples/requests/test_*.json through qb-app, as a queue endpoint’s CI does',
    'test:lb-handler': 'the same through lb-app',
    smoketest: 'bundles, and runs one job with the bundled qb-app',
    'smoketest:lb': 'the same with lb-app',
    'test:containers': 'builds the images and uses them; Debian, root; -- --only NAME for a part',
  },
  Quality: {
    'quality-check': 'lint, format, types, import rules, Python’s checks, all tests with their coverage',
    lint: 'biome, unused files and dependencies, tables that are generated, references to the protocol, files that documents name, these descriptions',
    'lint:fix': 'what biome can mend by itself',
    'lint:python': 'ruff and mypy',
    format: 'formats all',
    'format:check': 'says what is not formatted',
    typecheck: 'types of sources and tests',
    rules: 'who may import whom',
    docs: 'the API reference of all packages, to docs/api/',
    screenshot: 'makes docs/console.png; wants chromium',
    settings: 'writes the settings tables of README.md',
    'process-state': 'writes the table in docs/guides/operate.md of what one request can’t leave to the next',
  },
  Build: {
    build: 'every package to its dist/',
    'build:images': 'the container images, by docker or buildah; -- NAME … for some of them',
    'build:gpu': 'the image flash',
    'build:cpu': 'the image flash-cpu',
    'build:lb': 'the image flash-lb',
    'build:lb-cpu': 'the image flash-lb-cpu',
    'build:wip': 'all images, those without graphics cards for linux/amd64 and linux/arm64',
    bundle: 'each app as one file, to bundle/',
    package: 'an archive for images of your own, to archives/',
  },
  'Code intelligence': {
    index: 'an index of the repository’s symbols, for the MCP server',
    'code-intel': 'that server, over stdio; .mcp.json names it',
  },
  Measurements: {
    bench: 'the worker beside its comparators; needs wrk; -- --rounds N start lb queue … for a part',
    'bench:cache': 'the volume cache beside tar',
    'bench:environments': 'starts with kept environments beside uv',
    'bench:beside': 'this build beside another, row by row',
    'bench:reuse':
      'a process of its own for each request beside runners that are used again; what putting state back costs',
    'bench:steps': 'where the time of a warm request goes',
    'bench:app': 'the user’s web app beside plain uvicorn',
  },
};

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const described = Object.values(groups).flatMap(Object.keys);
// What npm runs by itself before another one.
const own = Object.keys(scripts).filter((name) => !(name.startsWith('pre') && name.slice(3) in scripts));
const wrong = [
  ...own.filter((name) => !described.includes(name)),
  ...described.filter((name) => !(name in scripts)),
];
if (wrong.length > 0) fail(`scripts/help.mjs and package.json differ: ${wrong.join(', ')}`);
if (!process.argv.includes('--check')) {
  const width = Math.max(...described.map((name) => name.length));
  for (const [title, group] of Object.entries(groups)) {
    console.log(`\n${title}`);
    for (const [name, what] of Object.entries(group)) console.log(`  npm run ${name.padEnd(width)}  ${what}`);
  }
}
