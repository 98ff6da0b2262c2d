/** Who may import whom; see ARCHITECTURE.md. */
const plainLibraries = '^packages/(command-runner|http-body|http-client|process-lock|settings|tar-archive)/';
const notTests = { pathNot: '\\.test\\.ts$|/test/' };

/** The rooms of the Python bridge: which others each may import. The same words name the packages of flash_runner (import-linter, pyproject.toml). */
const bridge = '^packages/infra-python-bridge/src/';
const bridgeRooms = {
  run: [],
  imports: [],
  output: [],
  protocol: ['run'],
  zygote: ['output', 'protocol'],
  runner: ['imports', 'output', 'protocol', 'run', 'zygote'],
  instances: ['run', 'runner'],
  pool: ['imports', 'instances', 'protocol', 'run', 'runner', 'zygote'],
  environments: ['imports', 'instances', 'pool', 'protocol', 'run', 'runner', 'zygote'],
  'web-app': ['protocol'],
};

export default {
  forbidden: [
    ...Object.entries(bridgeRooms).map(([room, others]) => ({
      name: `bridge-${room}`,
      severity: 'error',
      from: { path: `${bridge}${room}/`, ...notTests },
      to: { path: `${bridge}[^/]+/`, pathNot: `${bridge}(${[room, ...others].join('|')})/` },
    })),
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'core-imports-only-zod',
      comment: 'The core knows no Node, no container, no logger.',
      severity: 'error',
      from: { path: '^packages/worker-core/src/', ...notTests },
      to: { pathNot: '^packages/worker-core/src/|^node_modules/zod/' },
    },
    {
      name: 'infra-imports-core-and-plain-libraries',
      severity: 'error',
      from: { path: '^packages/(infra-[^/]+)/', ...notTests },
      to: { path: '^(packages|apps)/', pathNot: `^packages/$1/|^packages/worker-core/|${plainLibraries}` },
    },
    {
      name: 'plain-libraries-import-no-package',
      severity: 'error',
      from: { path: plainLibraries },
      to: { path: '^(packages|apps)/', pathNot: plainLibraries },
    },
    {
      name: 'gateway-imports-core',
      severity: 'error',
      from: { path: '^packages/queue-gateway/' },
      to: { path: '^(packages|apps)/', pathNot: '^packages/(queue-gateway|worker-core|http-body|settings)/' },
    },
    {
      name: 'console-runs-in-browsers',
      severity: 'error',
      from: { path: '^packages/queue-gateway/console/src/' },
      to: {
        pathNot:
          '^packages/queue-gateway/(console/src/|src/(console/overview|job-status)\\.ts$)|^node_modules/(preact|uplot)/',
      },
    },
    {
      name: 'host-imports-core-and-infra',
      severity: 'error',
      from: { path: '^packages/worker-host/' },
      to: { path: '^(packages|apps)/', pathNot: '^packages/(worker-host|worker-core|settings|infra-[^/]+)/' },
    },
    {
      name: 'tools-are-no-part-of-the-product',
      severity: 'error',
      from: { path: '^(packages|apps|examples)/' },
      to: { path: '^tools/' },
    },
    {
      name: 'tools-import-nothing-of-the-product',
      severity: 'error',
      from: { path: '^tools/' },
      to: { path: '^(packages|apps)/' },
    },
    {
      name: 'apps-import-host-core-and-gateway',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: {
        path: '^(packages|apps)/',
        pathNot: '^apps/$1/|^packages/(worker-host|worker-core|http-body|settings|queue-gateway)/',
      },
    },
    {
      name: 'only-through-exports',
      comment: 'Another package is reached through its index, its testing index, or another of its exports.',
      severity: 'error',
      from: { path: '^(packages|apps)/([^/]+)/' },
      to: {
        path: '^(packages|apps)/[^/]+/src/',
        pathNot:
          '^$1/$2/|/src/(((testing|endpoint-router)/)?index|small-heap|compile-cache|(zygote/)?head-start|node-version)\\.ts$',
      },
    },
    { name: 'nothing-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/dist/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      conditionNames: ['source', 'import', 'node', 'default'],
      exportsFields: ['exports'],
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.json'],
    },
  },
};
