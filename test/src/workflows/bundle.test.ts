import { readFileSync } from 'node:fs';
import { expect, inject, test } from 'vitest';

// Seen to fail with `import { taskNames } from '../../tasks.ts'` used as a value in workflows/index.ts: no error elsewhere.
test('the workflow bundle has no zod in it and none of our code but the contract and the workflows', () => {
  const modules = readFileSync(inject('workflowBundle'), 'utf8').match(/^\/\*\*\*\/ "\.\/[^"]+"/gm) ?? [];
  const names = modules.map((line) => line.slice('/***/ "./'.length, -1));
  expect(names.filter((name) => name.startsWith('src/')).sort()).toEqual([
    'src/contract.ts',
    'src/workflows/index.ts',
    'src/workflows/run-batch.ts',
    'src/workflows/run-chunk.ts',
    'src/workflows/run-task.ts',
  ]);
  expect(names.filter((name) => /node_modules\/(zod|hono|@hono|pino|undici)\//.test(name))).toEqual([]);
});
