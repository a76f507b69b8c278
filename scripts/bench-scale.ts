import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toScaleReport } from '../bench/report/to-scale-report.ts';
import { toScaleText } from '../bench/scale/result.ts';
import { runScale, type Sizes } from '../bench/scale/run-scale.ts';
import { createCommand, runCommand, wholeNumber } from '../cli/command.ts';
import { toMachine } from '../cli/measurement.ts';
import { createProgress } from '../cli/progress.ts';

const full: Sizes = { backlogs: [1_000, 20_000], workers: [1, 2, 4], tasks: 1_000, clients: [10, 100, 1_000] };
const quick: Sizes = { backlogs: [300, 2_000], workers: [1, 2, 4], tasks: 300, clients: [10, 100, 1_000] };

const command = createCommand('bench:scale', 'Measures what growing numbers of tasks, workers and clients cost.')
  .option('--quick', `backlogs of ${quick.backlogs.join(' and ')} instead of ${full.backlogs.join(' and ')}`)
  .option('--backlog <tasks>', 'the large backlog', wholeNumber(10, 100_000))
  .option('--output <directory>', 'the directory for scale.json and scale.html', '.bench')
  .addHelpText('after', '\ndocs/scaling.md says what follows from the figures.')
  .parse();
const { quick: isQuick = false, backlog, output } = command.opts<{ quick?: true; backlog?: number; output: string }>();

await runCommand(async (signal) => {
  const say = (line: string) => console.log(line);
  const base = isQuick ? quick : full;
  const sizes = { ...base, backlogs: [base.backlogs[0], backlog ?? base.backlogs[1]] satisfies [number, number] };
  const result = await runScale({
    sizes,
    quick: isQuick,
    machine: toMachine(),
    say,
    progress: createProgress(say),
    signal,
  });
  mkdirSync(output, { recursive: true });
  writeFileSync(join(output, 'scale.json'), `${JSON.stringify(result, null, 1)}\n`);
  writeFileSync(join(output, 'scale.html'), toScaleReport(result));
  say(
    `\n${toScaleText(result)}\n\nEvery figure: ${join(output, 'scale.json')}; as a page: ${join(output, 'scale.html')}`,
  );
  return 0;
});
