import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createCommand, runCommand } from '../cli/command.ts';
import { readDocument, toTypes } from '../cli/generate-types/to-types.ts';

/** `npm run generate:types`: the types that clients of the API use. */
createCommand('generate:types', 'Writes cli/client/api-types.ts, the types of the API, from its document.').parse();

await runCommand(async () => {
  const file = fileURLToPath(new URL('../cli/client/api-types.ts', import.meta.url));
  writeFileSync(file, await toTypes(await readDocument()));
  console.log(`Written: ${file}`);
  return 0;
});
