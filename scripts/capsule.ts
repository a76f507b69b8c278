import { writeFileSync } from 'node:fs';
import { Option } from 'commander';
import { createCommand, runCommand } from '../cli/command.ts';
import { SetupError } from '../cli/setup-error.ts';
import { quietRuntime } from '../local/time-skipping/quiet-runtime.ts';
import { countAttempts, loadCapsule } from '../proof/capsule/capsule.ts';
import { type Comparison, replayActivity } from '../proof/capsule/replay-activity.ts';
import { replayWorkflow } from '../proof/capsule/replay-workflow.ts';
import { toCapsule } from '../proof/capsule/save.ts';
import { loadConfigOrExit } from '../src/config/config.ts';

const command = createCommand(
  'capsule',
  "Saves a task with the upstream's answers, and replays it against today's code.",
)
  .argument('[task id]', 'the task to save')
  .option('--joke-api <url>', 'the joke API whose ledger has the answers')
  .option('--output <file>', 'the file to write (default: capsule-<last 8 characters of the id>.json)')
  .addOption(new Option('--replay <file>', 'replay this capsule instead').conflicts(['jokeApi', 'output']))
  .parse();
const [taskId] = command.args;
const { replay, jokeApi, output } = command.opts<{ replay?: string; jokeApi?: string; output?: string }>();
if ((taskId === undefined) === (replay === undefined)) command.error('error: give a task id or --replay <file>');

await runCommand(async (signal) => (taskId === undefined ? await play(replay ?? '') : await save(taskId, signal)));

async function save(id: string, signal: AbortSignal): Promise<number> {
  const { capsule, attempts } = await toCapsule(id, { config: loadConfigOrExit(), jokeApi, signal });
  const file = output ?? `capsule-${id.slice(-8)}.json`;
  try {
    writeFileSync(file, `${JSON.stringify(capsule, null, 1)}\n`);
  } catch (error) {
    throw new SetupError(`${file} cannot be written (${(error as NodeJS.ErrnoException).code}): choose an --output.`);
  }
  console.log(`${file}: saved with the upstream's answers to ${capsule.answers.length} of ${attempts} attempts`);
  return 0;
}

async function play(file: string): Promise<number> {
  const { capsule, past } = loadCapsule(file);
  quietRuntime();
  const refusal = await replayWorkflow(capsule);
  console.log(refusal ? `Workflow: REFUSED: ${refusal}` : "Workflow: today's code matches the history");
  const comparisons = await replayActivity(capsule, past);
  for (const { line } of comparisons) console.log(line);
  const count = (wanted: Comparison['verdict']) => comparisons.filter(({ verdict }) => verdict === wanted).length;
  const differences = count('different') + (refusal ? 1 : 0);
  const compared = count('same') + count('different');
  console.log(
    `Verdict: ${differences === 0 ? 'as recorded' : 'DIFFERENT from the record'}; ${compared} of ${countAttempts(capsule, past)} attempts compared`,
  );
  return differences === 0 ? 0 : 1;
}
