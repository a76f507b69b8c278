import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { type Entry, entries } from '../bench/contenders.ts';
import { saveRun } from '../bench/report/save-run.ts';
import { toBenchReport } from '../bench/report/to-bench-report.ts';
import { runBench } from '../bench/run-bench.ts';
import { toText } from '../bench/to-text.ts';
import { createCommand, decimalNumber, runCommand, wholeNumber } from '../cli/command.ts';
import { toMachine } from '../cli/measurement.ts';
import { createProgress } from '../cli/progress.ts';

function toEntries(text: string): Entry[] {
  const keys = text.split(',');
  const unknown = keys.find((key) => !entries.some((entry) => entry.key === key));
  if (unknown !== undefined)
    throw new InvalidArgumentError(`There is no ${unknown}; there are ${entries.map(({ key }) => key).join(', ')}.`);
  return entries.filter(({ key }) => keys.includes(key));
}

const quick = { rounds: 3, seconds: 3 };
const full = { rounds: 5, seconds: 5 };

const command = createCommand(
  'bench',
  'Compares Holdfast with bare Temporal, the stack it replaces, and other task queues.',
)
  .option('--quick', `${quick.rounds} shorter rounds`)
  .option('--rounds <count>', 'how often each system is measured', wholeNumber(1, 50))
  .option('--seconds <seconds>', 'the approximate duration of each half of a round', decimalNumber(0.1, 60))
  .option('--only <keys>', `measure only some of ${entries.map(({ key }) => key).join(', ')}`, toEntries)
  .option('--save', 'keep the run in docs/bench.json, and put its tables into README.md and docs/performance.md')
  .option('--output <directory>', 'the directory for bench.json and bench.html', '.bench')
  .addHelpText('after', '\nbench/README.md explains how the systems are measured, and why that is fair.')
  .parse();

type Flags = { quick?: true; save?: true; rounds?: number; seconds?: number; only?: Entry[]; output: string };
const { quick: isQuick, save: isSaved, only = entries, output, ...given } = command.opts<Flags>();
const { rounds, seconds } = { ...(isQuick ? quick : full), ...given };

await runCommand(async (signal) => {
  const say = (line: string) => console.log(line);
  const progress = createProgress(say);
  const result = await runBench({
    entries: only,
    rounds,
    seconds,
    machine: toMachine(),
    say,
    progress,
    signal,
  });
  mkdirSync(output, { recursive: true });
  writeFileSync(join(output, 'bench.json'), `${JSON.stringify(result, null, 1)}\n`);
  writeFileSync(join(output, 'bench.html'), toBenchReport(result));
  if (isSaved) saveRun(result);
  say(`\n${toText(result)}\n\nEvery figure: ${join(output, 'bench.json')}; as a page: ${join(output, 'bench.html')}`);
  return 0;
});
