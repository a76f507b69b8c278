import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tree = mkdtempSync(join(tmpdir(), 'holdfast-biome-'));
afterAll(() => rmSync(tree, { recursive: true, force: true }));
cpSync(join(root, 'biome.json'), join(tree, 'biome.json'));

/** Lints one file of that path and text with the project's rules. */
async function lint(path: string, text: string) {
  mkdirSync(dirname(join(tree, path)), { recursive: true });
  writeFileSync(join(tree, path), text);
  const flags = ['--vcs-enabled=false', '--colors=off'];
  return await execa(process.execPath, [join(root, 'node_modules/@biomejs/biome/bin/biome'), 'lint', ...flags, path], {
    cwd: tree,
    all: true,
    reject: false,
  });
}

const readsProcess = 'export const port = process.env.PORT;\n';

test.each([
  ['src/workflows/one.ts', "import { policySchema } from '../policy.ts';\nexport const it = policySchema;\n"],
  ['src/workflows/deep/er/one.ts', "import { tasks } from '../../../tasks.ts';\nexport const it = tasks;\n"],
  ['src/contract.ts', "import { tasks } from './tasks.ts';\nexport const it = tasks;\n"],
])('%s may not import a value from a module that uses zod', async (path, text) => {
  const { exitCode, all } = await lint(path, text);
  expect(all).toContain('lint/style/noRestrictedImports');
  expect(exitCode).toBe(1);
});

test.each([
  'src/workflows/deep/one.ts',
  'src/activities/one.ts',
  'src/activities/deep/one.ts',
  'src/api/one.ts',
  'src/api/tasks/one.ts',
  'src/api/tasks/deep/er/one.ts',
  'src/temporal/deep/one.ts',
  'src/planner/deep/one.ts',
  'src/tasks.ts',
  'src/policy.ts',
])('%s may not read the environment', async (path) => {
  const { exitCode, all } = await lint(path, readsProcess);
  expect(all).toContain('lint/style/noRestrictedGlobals');
  expect(exitCode).toBe(1);
});

test.each([
  ['src/workflows/one.ts', "import type { Policy } from '../policy.ts';\nexport type It = Policy;\n"],
  ['src/config/one.ts', readsProcess],
])('%s: a control that is allowed', async (path, text) => {
  expect(await lint(path, text)).toMatchObject({ exitCode: 0 });
});
