import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toHistoryJson } from '../proof/capsule/history-json.ts';
import { loadConfigOrExit } from '../src/config/config.ts';
import { createClient } from '../src/temporal/connection.ts';

/**
 * `npm run save-history -- <directory> <task id>…`: writes the history of each task as JSON, one file a task, for the
 * replay test: `test/histories/<version>/` keeps those of every released version.
 */
const [directory, ...ids] = process.argv.slice(2);
if (!directory || ids.length === 0) {
  console.error('Usage: npm run save-history -- <directory> <task id>…');
  process.exit(2);
}

const config = loadConfigOrExit();
const client = createClient(config);
mkdirSync(directory, { recursive: true });
try {
  for (const id of ids) {
    const handle = client.workflow.getHandle(id);
    const { status } = await handle.describe();
    const file = join(directory, `${status.name.toLowerCase()}-${id.slice(-8)}.json`);
    writeFileSync(file, `${JSON.stringify(toHistoryJson(await handle.fetchHistory()), null, 1)}\n`);
    console.log(file);
  }
} catch (error) {
  const { address, namespace } = config.temporal;
  console.error(`Cannot read that from Temporal at ${address}, namespace ${namespace}: ${(error as Error).message}`);
  process.exitCode = 1;
}
await client.connection.close();
