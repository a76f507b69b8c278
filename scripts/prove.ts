import { randomInt } from 'node:crypto';
import { InvalidArgumentError, Option } from 'commander';
import { createCommand, runCommand, wholeNumber } from '../cli/command.ts';
import { proveMutants } from '../proof/chaos/prove-mutants.ts';
import { proveOnce } from '../proof/chaos/prove-once.ts';
import { renderReport } from '../proof/chaos/report/render-report.ts';
import { toProveText } from '../proof/chaos/to-text.ts';
import { type FaultKind, faultKinds } from '../proof/chaos/types.ts';
import { engineHelp, loadEngine, toCommandLine } from '../proof/engine.ts';

/** A run of this size takes under 5 minutes on two cores, kills more than 20 processes and has one large batch. */
const quickSize = { tasks: 1_500, faults: 75 };
const usualSize = { tasks: 2_000, faults: 150 };

function toKinds(text: string): FaultKind[] {
  const words = text.split(',');
  const isMeant = (kind: FaultKind, word: string) => kind === word || kind.startsWith(`${word}-`);
  const unknown = words.find((word) => !faultKinds.some((kind) => isMeant(kind, word)));
  if (unknown === undefined) return faultKinds.filter((kind) => words.some((word) => isMeant(kind, word)));
  throw new InvalidArgumentError(`There is no fault ${JSON.stringify(unknown)}; there are: ${faultKinds.join(', ')}.`);
}

const { tasks: usualTasks, faults: usualFaults } = usualSize;
const flags = createCommand('prove', 'Breaks a stack, then checks what clients, the upstream and Temporal recorded.')
  .option('--tasks <count>', `tasks to submit, singly or in batches (default: ${usualTasks})`, wholeNumber(20, 100_000))
  .option('--faults <count>', `faults to inject meanwhile (default: ${usualFaults})`, wholeNumber(1, 10_000))
  .option('--seed <number>', 'repeats the tasks and faults of a run (default: random)', wholeNumber(0, 2 ** 31))
  .option('--minutes <count>', 'no fault begins after this many minutes', wholeNumber(1, 1_440), 120)
  .option('--only <kinds>', 'inject only these faults, for example kill,stop-worker', toKinds)
  .option('--quick', `${quickSize.tasks} tasks and ${quickSize.faults} faults, within 5 minutes`)
  .option('--mutants', 'run builds that each break a promise, and name the invariant that catches each')
  .option('--output <directory>', 'the directory for records, logs, prove.json and prove.html (default: .prove)')
  .addOption(
    new Option('--render <json>', 'only write the HTML page of a saved prove.json, beside it or to --output').conflicts(
      ['tasks', 'faults', 'seed', 'quick', 'mutants'],
    ),
  )
  .addHelpText(
    'after',
    `\nFaults:\n  ${faultKinds.join('\n  ')}\n\ndocs/proof/README.md explains what is proved, and how.${engineHelp}`,
  )
  .parse()
  .opts<Partial<typeof usualSize> & { seed?: number; minutes: number; only?: FaultKind[] } & Modes>();
type Modes = { quick?: true; mutants?: true; output?: string; render?: string };
const { minutes, only = faultKinds, output = '.prove' } = flags;
const { tasks, faults, seed = randomInt(1, 1_000_000) } = { ...(flags.quick ? quickSize : usualSize), ...flags };

await runCommand(async (signal) => {
  if (flags.render !== undefined) {
    console.log(`Written: ${renderReport(flags.render, flags.output)}`);
    return 0;
  }
  if (flags.mutants) return await proveMutants({ seed, output, say: console.log, signal });
  const kinds = only.length === faultKinds.length ? [] : [`--only ${only.join(',')}`];
  const command = toCommandLine('prove', [`--tasks ${tasks} --faults ${faults} --seed ${seed}`, ...kinds]);
  console.log(`${command}\nEngine: ${loadEngine()}`);
  const result = await proveOnce({ tasks, faults, seed, only, minutes, command, output, say: console.log, signal });
  console.log(`\n${toProveText(result)}\n\nRecords, logs, prove.json and prove.html: ${output}`);
  return result.verdict === 'passed' ? 0 : 1;
});
