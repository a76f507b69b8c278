import { InvalidArgumentError } from 'commander';
import { createCommand, runCommand } from '../cli/command.ts';
import { toCheckList } from '../proof/checks/check-numbers.ts';
import { runSuite } from '../proof/checks/run-suite.ts';
import { engineHelp, loadEngine } from '../proof/engine.ts';
import { scenarios } from '../proof/scenarios/scenarios.ts';
import { createScene } from '../proof/scenarios/scene.ts';

const choice = `1 to ${scenarios.length}, or all`;

function choose(text: string, chosen: number[] = []): number[] {
  const numbers = scenarios.map((_, index) => index + 1).filter((number) => text === 'all' || text === String(number));
  if (numbers.length === 0) throw new InvalidArgumentError(`Choose ${choice}.`);
  return [...new Set([...chosen, ...numbers])];
}

const command = createCommand('scenario', 'Runs scenarios of a task, each on its own Holdfast, and checks the outcome.')
  .argument('[scenario...]', choice, choose)
  .option('--fast', 'scale waits and timeouts down')
  .option('--verbose', "show Holdfast's own log on stderr")
  .addHelpText('after', `\nScenarios:\n${toCheckList(scenarios)}\n${engineHelp}`)
  .parse();

const only = (command.processedArgs[0] ?? []) as number[];
if (only.length === 0) command.error(`error: no scenario is chosen. Choose ${choice}: npm run scenario -- all`);
const { fast = false, verbose = false } = command.opts<{ fast?: boolean; verbose?: boolean }>();
const say = (line: string) => console.log(line);

await runCommand(async (signal) => {
  const suite = {
    title: 'SCENARIOS',
    part: 'SCENARIO',
    noun: 'scenarios',
    allPassed:
      only.length === scenarios.length
        ? 'ALL SCENARIOS PASSED! Every task ended as it should.'
        : `The ${only.length} chosen scenarios passed. The other ${scenarios.length - only.length} did not run.`,
    advice: "Some scenarios failed. Run one alone with --verbose to see Holdfast's own log.",
    checks: scenarios,
    only,
    configuration: [
      fast ? 'Waits and timeouts: scaled down (--fast)' : 'Waits and timeouts: in full, in real time',
      `Engine: ${loadEngine()}`,
    ],
  };
  const { allPassed } = await runSuite(suite, { context: createScene({ fast, verbose, say, signal }), say, signal });
  return allPassed ? 0 : 1;
});
