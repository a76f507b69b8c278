import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

/**
 * Returns the arguments of `node` that run a TypeScript file in that same process, from any working directory. The `tsx`
 * command would run the file in a child, and a kill -9 of its parent would not end the child.
 */
export const nodeArguments = (script: string) => ['--import', tsx, script];
