/**
 * The rules about imports between folders (docs/architecture.md). `npm run lint` checks them with
 * scripts/check-imports.mjs. Biome checks globals and packages by name. It also checks which files may import only
 * types from tasks.ts and policy.ts.
 */

/** Creates rules for `steps`: a later step may import an earlier step, but not the other way round. */
const toOrderRules = (prefix, comment, steps) =>
  steps.slice(0, -1).map(([name, from], index) => ({
    name: `${prefix}-${name}`,
    severity: 'error',
    comment,
    from: { path: from },
    to: { path: steps.slice(index + 1).map(([, path]) => path) },
  }));

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    ...toOrderRules('folders', 'src ← cli ← local ← proof and bench ← scripts', [
      ['src', '^src/'],
      ['cli', '^cli/'],
      ['local', '^local/'],
      ['proof-and-bench', '^(proof|bench)/'],
      ['scripts', '^scripts/'],
    ]),
    {
      name: 'product-imports-no-test',
      severity: 'error',
      from: { path: '^(src|cli|local|proof|bench|scripts)/' },
      to: { path: '^test/' },
    },
    { name: 'scripts-are-imported-by-nobody', severity: 'error', from: {}, to: { path: '^scripts/' } },
    {
      name: 'build-imports-src-only',
      severity: 'error',
      comment: 'The Dockerfile copies nothing else.',
      from: { path: '^scripts/build\\.ts$' },
      to: { path: '^(cli|local|proof|bench)/' },
    },
    { name: 'proof-imports-no-bench', severity: 'error', from: { path: '^proof/' }, to: { path: '^bench/' } },
    { name: 'bench-imports-no-proof', severity: 'error', from: { path: '^bench/' }, to: { path: '^proof/' } },
    {
      name: 'entry-points-are-imported-by-nobody',
      severity: 'error',
      from: {},
      to: { path: '^src/(server|worker)\\.ts$' },
    },
    {
      name: 'api-is-imported-by-the-server-only',
      severity: 'error',
      comment: 'temporal, config, planner and the files above them know nothing of the API.',
      from: { path: '^src/', pathNot: '^src/(api/|server\\.ts|listen\\.ts)' },
      to: { path: '^src/(api/|listen\\.ts)' },
    },
    ...toOrderRules('api', 'problems ← http ← submissions ← views ← watch ← tasks ← batches ← system ← app.ts', [
      ['problems', '^src/api/problems/'],
      ['http', '^src/api/http/'],
      ['submissions', '^src/api/submissions/'],
      ['views', '^src/api/views/'],
      ['watch', '^src/api/watch/'],
      ['tasks', '^src/api/tasks/'],
      ['batches', '^src/api/batches/'],
      ['system', '^src/api/system/'],
      ['app', '^src/api/app\\.ts$'],
    ]),
    {
      name: 'api-runs-no-task',
      severity: 'error',
      comment: 'The API starts workflows by name. It never runs their code, and makes no HTTP calls of its own.',
      from: { path: '^src/api/' },
      to: { path: ['^src/(activities|workflows|outbound)/', 'node_modules/@temporalio/(worker|activity|workflow)/'] },
    },
    {
      name: 'tasks-and-policy-import-zod-only',
      severity: 'error',
      from: { path: '^src/(tasks|policy|policy-parameters)\\.ts$' },
      to: { pathNot: ['node_modules/zod/', '^src/(tasks|policy|policy-parameters)\\.ts$'] },
    },
    {
      name: 'contract-imports-types-only',
      severity: 'error',
      comment: 'It is part of the workflow bundle.',
      from: { path: '^src/contract\\.ts$' },
      to: { pathNot: '^src/(contract|tasks|policy)\\.ts$' },
    },
    {
      name: 'workflows-import-the-sdk-and-the-contract',
      severity: 'error',
      comment: 'Workflow code is deterministic. Its configuration comes with its input.',
      from: { path: '^src/workflows/' },
      to: {
        pathNot: [
          '^src/(workflows|slices)/',
          '^src/(contract|tasks|policy)\\.ts$',
          'node_modules/@temporalio/workflow/',
        ],
      },
    },
    {
      name: 'slices-import-the-contract-only',
      severity: 'error',
      comment: 'The code of slices is part of the workflow bundle.',
      from: { path: '^src/slices/' },
      to: { pathNot: '^src/(slices/|contract\\.ts)' },
    },
    {
      name: 'activities-import-what-an-attempt-needs',
      severity: 'error',
      from: { path: '^src/activities/' },
      to: {
        pathNot: [
          '^src/((activities|outbound)/|(policy|contract|tasks)\\.ts)',
          'node_modules/(@temporalio/activity|zod|undici)/',
          '^(node:)?(events|stream|timers|zlib|util)',
        ],
      },
    },
    {
      name: 'outbound-imports-undici-only',
      severity: 'error',
      comment: 'It makes connections. Its proxies come from the caller.',
      from: { path: '^src/outbound/' },
      to: { pathNot: ['^src/outbound/', 'node_modules/undici/', '^(node:)?(dns|net)$'] },
    },
    {
      name: 'http-clients-speak-http',
      severity: 'error',
      comment: 'A client that bypasses the API tests something else. Biome allows only types from the schemas.',
      from: { path: '^(cli/(client|task)/|proof/(system|scenarios|edge)/)' },
      to: {
        path: ['node_modules/@temporalio/', '^src/(temporal|api|workflows|activities)/'],
        pathNot: '^src/api/.*schemas\\.ts$',
      },
    },
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^bench/(node_modules|[^/]+/(client|worker|queue)\\.mjs$)' },
    enhancedResolveOptions: { extensions: ['.ts', '.mjs', '.js'], conditionNames: ['import', 'node'] },
  },
};
