import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { createCommand, runCommand, wholeNumber } from '../cli/command.ts';
import { proveMutants } from '../proof/chaos/prove-mutants.ts';
import { proveOnce } from '../proof/chaos/prove-once.ts';
import { toProveReport } from '../proof/chaos/report/to-prove-report.ts';
import { toProveText } from '../proof/chaos/to-text.ts';
import { type FaultKind, faultKinds } from '../proof/chaos/types.ts';

/** Under 5 minutes on two cores, with more than 20 kills. */
const quickSize = { tasks: 1_000, faults: 75 };
const usualSize = { tasks: 2_000, faults: 150 };

function toKinds(text: string): FaultKind[] {
  const words = text.split(',');
  const chosen = faultKinds.filter((kind) => words.some((word) => kind === word || kind.startsWith(`${word}-`)));
  const unknown = words.find((word) => !faultKinds.some((kind) => kind === word || kind.startsWith(`${word}-`)));
  if (unknown === undefined) return chosen;
  throw new InvalidArgumentError(`There is no fault ${JSON.stringify(unknown)}; there are: ${faultKinds.join(', ')}.`);
}

const command = createCommand(
  'prove',
  'Chaos under load, and a verdict from what clients, the upstream and Temporal recorded.',
)
  .option(
    '--tasks <count>',
    `how many tasks are submitted, half of them in batches (${usualSize.tasks})`,
    wholeNumber(20, 100_000),
  )
  .option('--faults <count>', `how many faults are injected meanwhile (${usualSize.faults})`, wholeNumber(1, 10_000))
  .option('--seed <number>', 'repeats the tasks and faults of an earlier run (a random one)', wholeNumber(0, 2 ** 31))
  .option('--minutes <count>', 'no fault begins later than so many minutes after the start', wholeNumber(1, 1_440), 120)
  .option('--only <kinds>', 'some of the faults, as kill,stop-worker', toKinds, [...faultKinds])
  .option('--quick', `${quickSize.tasks} tasks and ${quickSize.faults} faults, within 5 minutes`)
  .option('--mutants', 'prove that the proof can fail: builds that break a promise each, and which invariant says so')
  .option('--output <directory>', 'where records, logs, prove.json and prove.html go', '.prove')
  .addHelpText('after', `\nFaults:\n  ${faultKinds.join('\n  ')}\n\ndocs/proof/README.md says what is proved, and how.`)
  .parse();

type Flags = {
  tasks?: number;
  faults?: number;
  seed?: number;
  minutes: number;
  only: FaultKind[];
  quick?: true;
  mutants?: true;
  output: string;
};
const flags = command.opts<Flags>();
const { minutes, only, output } = flags;
const size = flags.quick ? quickSize : usualSize;
const { tasks = size.tasks, faults = size.faults, seed = randomInt(1, 1_000_000) } = flags;
const say = (line: string) => console.log(line);

await runCommand(async (signal) => {
  if (flags.mutants) return proveMutants({ seed, output, say, signal });
  const kinds = only.length === faultKinds.length ? '' : ` --only ${only.join(',')}`;
  const words = `npm run prove -- --tasks ${tasks} --faults ${faults} --seed ${seed}${kinds}`;
  say(words);
  const result = await proveOnce({ tasks, faults, seed, only, minutes, command: words, output, say, signal });
  const page = join(output, 'prove.html');
  writeFileSync(page, toProveReport(result));
  say(`\n${toProveText(result)}\n\nRecords, logs and every figure: ${output}; as a page: ${page}`);
  return result.verdict === 'passed' ? 0 : 1;
});
