import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCommand, runCommand } from '../cli/command.ts';
import { SetupError } from '../cli/setup-error.ts';
import { toHistoryJson } from '../proof/capsule/read-history.ts';
import { loadConfigOrExit } from '../src/config/config.ts';
import { createClient } from '../src/temporal/connection.ts';

const command = createCommand(
  'save-history',
  'Writes the histories of tasks as JSON, one file each, for the replay test.',
)
  .argument('<directory>', 'where to write; test/histories/<version>/ has the histories of each released version')
  .argument('<task id...>')
  .parse();
const [directory, ids] = command.processedArgs as [string, string[]];

await runCommand(async () => {
  const config = loadConfigOrExit();
  const client = createClient(config);
  try {
    mkdirSync(directory, { recursive: true });
    for (const id of ids) {
      const handle = client.workflow.getHandle(id);
      const { status } = await handle.describe();
      const file = join(directory, `${status.name.toLowerCase()}-${id.slice(-8)}.json`);
      writeFileSync(file, `${JSON.stringify(toHistoryJson(await handle.fetchHistory()), null, 1)}\n`);
      console.log(file);
    }
    return 0;
  } catch (error) {
    const { address, namespace } = config.temporal;
    const reason = (error as Error).message;
    throw new SetupError(`Cannot save a history from Temporal at ${address}, namespace ${namespace}: ${reason}`);
  } finally {
    await client.connection.close();
  }
});
