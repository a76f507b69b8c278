import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const toPath = (file: string) => fileURLToPath(new URL(file, import.meta.url));

/** Bundles the workflows and their interceptors into one JavaScript file. Every worker runs this bundle. */
export const bundleWorkflows = () =>
  bundleWorkflowCode({
    workflowsPath: toPath('workflows/index.ts'),
    workflowInterceptorModules: [toPath('workflows/interceptors.ts')],
    logger: new DefaultLogger('WARN'),
  });

const thisFile = fileURLToPath(import.meta.url);

/**
 * Bundles the workflows in a child process, which runs this file. Otherwise this process would keep the memory of the
 * bundler, about 150 MiB.
 */
async function bundleInChild(): Promise<string> {
  const bundling = promisify(execFile)(process.execPath, [...process.execArgv, thisFile], { maxBuffer: 2 ** 26 });
  const end = () => void bundling.child.kill();
  process.once('exit', end);
  const { stdout } = await bundling;
  process.off('exit', end);
  return stdout;
}

/** Returns a comment that names the content of all files that decide what the bundle contains. */
function toHeader(): string {
  const hash = createHash('sha256');
  // package.json has the exact version of every package. `test/src/workflows/bundle.test.ts` holds the list complete.
  const names = ['workflows/', 'slices/'].flatMap((folder) => readdirSync(toPath(folder)).map((name) => folder + name));
  for (const file of [...names.sort(), 'contract.ts', 'bundle-workflows.ts', '../package.json'])
    hash.update(`${file}\0${readFileSync(toPath(file), 'utf8')}\0`);
  return `// ${hash.digest('hex')}\n`;
}

const readIfThere = (path: string) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

/** Other processes see either the file as it was or all of `text`. Without the right to write, nothing is kept. */
function keep(path: string, text: string) {
  const draft = `${path}.${randomUUID()}`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(draft, text);
    renameSync(draft, path);
  } catch {
    rmSync(draft, { force: true });
  }
}

/**
 * Returns the bundle of the workflows from `file`. If it was made from other code, makes it again and keeps it there,
 * because bundling takes 3 s of CPU.
 */
export async function loadWorkflowBundle(
  file = toPath('../node_modules/.cache/holdfast/workflow-bundle.js'),
): Promise<{ code: string }> {
  const header = toHeader();
  const kept = readIfThere(file);
  if (kept.startsWith(header)) return { code: kept.slice(header.length) };
  const code = await bundleInChild();
  keep(file, header + code);
  return { code };
}

if (process.argv[1] === thisFile) process.stdout.write((await bundleWorkflows()).code);
