import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { nodeArguments } from '../../cli/node-arguments.ts';
import { mutate } from '../../proof/mutate.ts';
import { createDirectory } from '../support/processes.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const mutation = {
  file: 'src/workflows/run-batch.ts',
  from: 'formerMaximumInFlight = 400',
  to: 'formerMaximumInFlight = 300',
};

// Seen to fail when the header left out the content of the files, and when the kept file was never used.
test('the kept bundle is used as long as the workflow code is the same, and made again for other code', async () => {
  const copy = createDirectory();
  for (const name of ['src', 'package.json', 'tsconfig.json'])
    cpSync(join(root, name), join(copy, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  const kept = join(copy, 'kept/bundle.js');
  const load = join(copy, 'src/load.ts');
  writeFileSync(
    load,
    `import { loadWorkflowBundle } from './bundle-workflows.ts';
    process.stdout.write((await loadWorkflowBundle(${JSON.stringify(kept)})).code);`,
  );
  const read = async () => (await execa(process.execPath, nodeArguments(load), { cwd: copy })).stdout;

  const first = await read();
  expect(first).toContain('formerMaximumInFlight = 400');
  writeFileSync(kept, `${readFileSync(kept, 'utf8')}// kept`);
  expect(await read()).toMatch(/\/\/ kept$/);
  mutate(copy, mutation);
  const other = await read();
  expect(other).toContain('formerMaximumInFlight = 300');
  expect(other).not.toContain('// kept');
}, 120_000);
