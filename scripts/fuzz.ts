import { createCommand, runCommand, wholeNumber } from '../cli/command.ts';
import { engineHelp } from '../proof/engine.ts';
import { type FuzzFlags, runFuzz } from '../proof/fuzz/run-fuzz.ts';

const flags = createCommand('fuzz', 'Tests the whole API against /openapi.json with requests from Schemathesis.')
  .option('--url <url>', 'a running Holdfast (default: starts one with a joke API, and stops it at the end)')
  .option('--examples <n>', 'maximum requests of each phase for each operation', wholeNumber(1, 1_000_000), 500)
  .option(
    '--seed <n>',
    'seed of the random numbers; give the flag again for another run (default: 1)',
    (text, seeds: number[] = []) => [...seeds, wholeNumber(0, 2 ** 31 - 1)(text)],
  )
  .option('--minutes <n>', 'maximum duration of each run', wholeNumber(1, 1_440), 15)
  .option('--verbose', "show the log of the stack's processes on stderr")
  .addHelpText(
    'after',
    `
A Holdfast given by --url gets thousands of tasks. Its key is read from HOLDFAST_API_KEY.
Exit codes: 0 every answer was as documented. 1 an answer was not, or the time was up.${engineHelp}`,
  )
  .parse()
  .opts<FuzzFlags>();

await runCommand((signal) => runFuzz(flags, signal));
