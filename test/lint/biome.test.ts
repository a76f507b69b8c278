import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

const globals = 'lint/style/noRestrictedGlobals';
const imports = 'lint/style/noRestrictedImports';
const readsProcess = 'export const port = process.env.PORT;\n';
/** Returns the source of a file that imports a value from a module that uses zod. */
const importsValue = (from: string) => `import { it } from '${from}';\nexport const one = it;\n`;

// Each file breaks the rule beside it.
const broken: [path: string, rule: string, text: string][] = [
  ['src/contract.ts', imports, importsValue('./tasks.ts')],
  ['src/workflows/one.ts', imports, importsValue('../policy.ts')],
  ['src/workflows/deep/er/one.ts', imports, importsValue('../../../tasks.ts')],
  ['src/workflows/deep/two.ts', globals, readsProcess],
  ['src/activities/one.ts', globals, readsProcess],
  ['src/activities/deep/one.ts', globals, readsProcess],
  ['src/api/one.ts', globals, readsProcess],
  ['src/api/tasks/one.ts', globals, readsProcess],
  ['src/api/tasks/deep/er/one.ts', globals, readsProcess],
  ['src/outbound/one.ts', globals, readsProcess],
  ['src/temporal/deep/one.ts', globals, readsProcess],
  ['src/planner/deep/one.ts', globals, readsProcess],
  ['src/tasks.ts', globals, readsProcess],
  ['src/policy.ts', globals, readsProcess],
];
const allowed: [path: string, text: string][] = [
  ['src/workflows/types.ts', "import type { Policy } from '../policy.ts';\nexport type One = Policy;\n"],
  ['src/config/one.ts', readsProcess],
];

const tree = mkdtempSync(join(tmpdir(), 'holdfast-biome-'));
afterAll(() => rmSync(tree, { recursive: true, force: true }));
cpSync(join(root, 'biome.json'), join(tree, 'biome.json'));
for (const [path, text] of [...broken.map(([path, , text]): [string, string] => [path, text]), ...allowed]) {
  mkdirSync(dirname(join(tree, path)), { recursive: true });
  writeFileSync(join(tree, path), text);
}
const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
const flags = ['lint', '--vcs-enabled=false', '--colors=off', '--max-diagnostics=none', 'src'];
const { all: output, exitCode } = await execa(process.execPath, [biome, ...flags], {
  cwd: tree,
  all: true,
  reject: false,
});

test('a tree that breaks rules fails', () => {
  expect(exitCode, output).toBe(1);
});

test.each(broken)('%s breaks %s and no other rule', (path, rule) => {
  const found = output.split('\n').filter((line) => line.startsWith(`${path}:`));
  expect(found, output).toEqual([expect.stringContaining(rule)]);
});

test.each(allowed)('a control: %s is allowed', (path) => {
  expect(output).not.toContain(`${path}:`);
});
