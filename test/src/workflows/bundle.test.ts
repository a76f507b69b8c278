import { readFileSync } from 'node:fs';
import { expect, inject, test } from 'vitest';

// Seen to fail when workflows/index.ts imported `taskNames` as a value. Nothing else reports that.
test('the workflow bundle contains no zod, and of our code only the contract, the slices and the workflows', () => {
  const modules = readFileSync(inject('workflowBundle'), 'utf8').match(/^\/\*\*\*\/ "\.\/[^"]+"/gm) ?? [];
  const names = modules.map((line) => line.slice('/***/ "./'.length, -1));
  expect(names.filter((name) => name.startsWith('src/')).sort()).toEqual([
    'src/contract.ts',
    'src/slices/counts.ts',
    'src/slices/reports.ts',
    'src/slices/running-slices.ts',
    'src/workflows/handle-signal.ts',
    'src/workflows/index.ts',
    'src/workflows/interceptors.ts',
    'src/workflows/report-counts.ts',
    'src/workflows/run-batch.ts',
    'src/workflows/run-chunk-in-slices.ts',
    'src/workflows/run-chunk.ts',
    'src/workflows/run-item.ts',
    'src/workflows/run-task.ts',
    'src/workflows/slices.ts',
    'src/workflows/until-chunk-ends.ts',
  ]);
  expect(names.filter((name) => /node_modules\/(zod|hono|@hono|pino|undici)\//.test(name))).toEqual([]);
});
