import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { IConfiguration } from 'dependency-cruiser';
import { execa } from 'execa';
import { afterAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { default: config }: { default: IConfiguration } = await import(join(root, '.dependency-cruiser.mjs'));

const check = (cwd: string) =>
  execa(process.execPath, [join(root, 'scripts/check-imports.mjs')], { cwd, all: true, reject: false });

// For each rule an import that it forbids: the importing file, and the file or package that it imports.
const forbidden: Record<string, [from: string, to: string]> = {
  'no-circles': ['src/circle-a.ts', 'src/circle-b.ts'],
  'folders-src': ['src/early.ts', 'local/stack.ts'],
  'folders-cli': ['cli/flags.ts', 'proof/check.ts'],
  'folders-local': ['local/temporal/start.ts', 'bench/measure.ts'],
  'folders-proof-and-bench': ['proof/fuzz/run.ts', 'scripts/fuzz.ts'],
  'product-imports-no-test': ['cli/report.ts', 'test/support/example.ts'],
  'scripts-are-imported-by-nobody': ['scripts/plan.ts', 'scripts/task.ts'],
  'build-imports-src-only': ['scripts/build.ts', 'cli/progress.ts'],
  'proof-imports-no-bench': ['proof/chaos/load.ts', 'bench/peer/start.ts'],
  'bench-imports-no-proof': ['bench/holdfast/start.ts', 'proof/system/load.ts'],
  'entry-points-are-imported-by-nobody': ['local/start/children.ts', 'src/worker.ts'],
  'api-is-imported-by-the-server-only': ['src/temporal/connection.ts', 'src/api/http/limits.ts'],
  'api-problems': ['src/api/problems/table.ts', 'src/api/http/origin.ts'],
  'api-http': ['src/api/http/auth.ts', 'src/api/submissions/submit.ts'],
  'api-submissions': ['src/api/submissions/owner.ts', 'src/api/views/state.ts'],
  'api-views': ['src/api/views/task-view.ts', 'src/api/watch/wait.ts'],
  'api-watch': ['src/api/watch/events.ts', 'src/api/tasks/list.ts'],
  'api-tasks': ['src/api/tasks/cancel.ts', 'src/api/batches/cancel.ts'],
  'api-batches': ['src/api/batches/list.ts', 'src/api/system/health.ts'],
  'api-system': ['src/api/system/metrics.ts', 'src/api/app.ts'],
  'api-runs-no-task': ['src/api/tasks/routes.ts', 'src/activities/fetch-joke.ts'],
  'tasks-and-policy-import-zod-only': ['src/policy.ts', 'undici'],
  'contract-imports-types-only': ['src/contract.ts', 'zod'],
  'workflows-import-the-sdk-and-the-contract': ['src/workflows/run-task.ts', '@temporalio/client'],
  'slices-import-the-contract-only': ['src/slices/reports.ts', 'src/tasks.ts'],
  'activities-import-what-an-attempt-needs': ['src/activities/get-json.ts', 'src/config/config.ts'],
  'outbound-imports-undici-only': ['src/outbound/client.ts', 'src/policy.ts'],
  'http-clients-speak-http': ['proof/scenarios/six.ts', 'src/temporal/calls.ts'],
};

/** Creates a tree of stub files with the given imports. */
function createTree(imports: [from: string, to: string][]): string {
  const tree = mkdtempSync(join(tmpdir(), 'holdfast-imports-'));
  afterAll(() => rmSync(tree, { recursive: true, force: true }));
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
  const isFile = (path: string) => path.endsWith('.ts');
  const files = new Set(imports.flat().filter(isFile));
  for (const file of files) {
    const lines = imports
      .filter(([from]) => from === file)
      .map(([, to]) => (isFile(to) ? `./${relative(dirname(file), to)}` : to))
      .map((specifier) => `import type {} from '${specifier}';\n`);
    mkdirSync(join(tree, dirname(file)), { recursive: true });
    writeFileSync(join(tree, file), `${lines.join('')}export const stub = 1;\n`);
  }
  writeFileSync(join(tree, 'tsconfig.json'), '{}');
  return tree;
}

const examples = Object.entries(forbidden);

test('every rule has an example here', () => {
  expect(examples.map(([rule]) => rule)).toEqual(config.forbidden?.map(({ name }) => name));
});

describe('a tree with one bad import for each rule', async () => {
  const back: [string, string] = ['src/circle-b.ts', 'src/circle-a.ts'];
  const { all, exitCode } = await check(createTree([...examples.map(([, example]) => example), back]));

  test('fails', () => {
    expect(exitCode).toBe(1);
  });

  test.each(examples)('%s names the import', (rule, [from, to]) => {
    const start = all.split(`error ${rule}: ${from} → `)[1]?.slice(0, 200);
    expect(start, all).toContain(to);
  });
});

test('a tree with too few modules fails even if it breaks no rule, because the parser may have read none', async () => {
  const { all, exitCode } = await check(createTree([['src/server.ts', 'src/api/app.ts']]));
  expect(all).toMatch(/^Only 2 modules were read, fewer than 300/m);
  expect(all).not.toContain('error');
  expect(exitCode).toBe(1);
});

test('the project breaks no rule', async () => {
  const { all, exitCode } = await check(root);
  expect(all).toMatch(/no dependency violations found \(\d{3,} modules/);
  expect(exitCode, all).toBe(0);
});
