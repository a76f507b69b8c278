import { InvalidArgumentError } from 'commander';
import { createCommand, runCommand } from '../cli/command.ts';
import { runSuite } from '../proof/checks/run-suite.ts';
import { apiRestored } from '../proof/scenarios/api-restored.ts';
import { backoffPattern } from '../proof/scenarios/backoff-pattern.ts';
import { concurrentLoad } from '../proof/scenarios/concurrent-load.ts';
import { delayCap } from '../proof/scenarios/delay-cap.ts';
import { jobTimeout } from '../proof/scenarios/job-timeout.ts';
import { createScene } from '../proof/scenarios/scene.ts';
import { stalledJob } from '../proof/scenarios/stalled-job.ts';

const scenarios = [backoffPattern, apiRestored, jobTimeout, stalledJob, concurrentLoad, delayCap].map(
  (check, index) => ({ number: index + 1, check }),
);
const choice = `1 to ${scenarios.length}, or all`;

function choose(text: string, chosen: typeof scenarios = []): typeof scenarios {
  const found = scenarios.filter(({ number }) => text === 'all' || text === String(number));
  if (found.length === 0) throw new InvalidArgumentError(`There are ${choice}.`);
  return [...new Set([...chosen, ...found])];
}

const command = createCommand(
  'scenario',
  'Plays what can happen to a task, each on a Holdfast of its own, and judges the outcome.',
)
  .argument('[scenario...]', choice, choose)
  .option('--fast', 'scale waits and timeouts down')
  .option('--verbose', "show Holdfast's own log on stderr")
  .addHelpText(
    'after',
    `\nScenarios:\n${scenarios.map(({ number, check }) => `  ${number}  ${check.title}`).join('\n')}`,
  )
  .parse();

const chosen = command.processedArgs[0] as typeof scenarios | [];
if (!chosen?.length) command.error(`error: which scenario? There are ${choice}: npm run scenario -- all`);
const { fast = false, verbose = false } = command.opts<{ fast?: boolean; verbose?: boolean }>();
const say = (line: string) => console.log(line);

await runCommand(async (signal) => {
  const suite = {
    title: 'SCENARIOS',
    part: 'SCENARIO',
    noun: 'scenarios',
    allPassed:
      chosen.length === scenarios.length
        ? 'ALL SCENARIOS PASSED! Every task came to the end it should.'
        : `The ${chosen.length} chosen of ${scenarios.length} scenarios passed.`,
    advice: 'Some scenarios failed. Play one alone with --verbose to see what Holdfast says meanwhile.',
    checks: chosen,
    configuration: [fast ? 'Waits and timeouts: scaled down (--fast)' : 'Waits and timeouts: in full, in real time'],
  };
  const { allPassed } = await runSuite(suite, { context: createScene({ fast, verbose, say, signal }), say, signal });
  return allPassed ? 0 : 1;
});
