import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { bundleWorkflows } from '../src/bundle-workflows.ts';

/**
 * `npm run build` creates `dist/` for production: JavaScript and the workflow bundle. Without that bundle, a worker
 * would bundle the workflows each time it starts.
 */
const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const tsc = createRequire(import.meta.url)
  .resolve('typescript/package.json')
  .replace('package.json', 'bin/tsc');

rmSync(path('../dist'), { recursive: true, force: true });
execFileSync(process.execPath, [tsc, '--project', path('../tsconfig.build.json')], { stdio: 'inherit' });
const { code } = await bundleWorkflows();
writeFileSync(path('../dist/workflow-bundle.js'), code);
console.log(`dist/ is built; the workflow bundle has ${Math.round(code.length / 1024)} KiB`);
