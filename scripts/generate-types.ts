import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createCommand, runCommand } from './command.ts';
import { readDocument, toTypes } from './generate-types/to-types.ts';

/** `npm run generate:types`: the types that clients of the API use. */
createCommand('generate:types', 'Writes scripts/client/api-types.ts, the types of the API, from its document.').parse();

await runCommand(async () => {
  const file = fileURLToPath(new URL('client/api-types.ts', import.meta.url));
  writeFileSync(file, await toTypes(await readDocument()));
  console.log(`Written: ${file}`);
  return 0;
});
