import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

/**
 * What follows `node` to run a TypeScript file in that very process, from any working directory. The `tsx` command would
 * run the file in a child of its own, which outlives a kill -9 of the process one knows.
 */
export const nodeArguments = (script: string) => ['--import', tsx, script];
