import { createCommand, runCommand } from '../cli/command.ts';
import { prepareTimeSkipping } from '../local/time-skipping/prepare-time-skipping.ts';
import type { TimeSkipping } from '../local/time-skipping/start-time-skipping.ts';
import { checks } from '../proof/backoff/checks.ts';
import { checkNumbers, toCheckList } from '../proof/checks/check-numbers.ts';
import { runSuite } from '../proof/checks/run-suite.ts';

const { only } = createCommand('stress:backoff', 'Tests the exponential backoff with seven checks.')
  .option('--only <numbers>', 'run only these checks, for example 1,3', checkNumbers(checks))
  .addHelpText('after', `\nChecks:\n${toCheckList(checks)}`)
  .parse()
  .opts<{ only?: number[] }>();

await runCommand(async (signal) => {
  const say = (line: string) => console.log(line);
  let starting: Promise<TimeSkipping> | undefined;
  const timeSkipping = () => {
    starting ??= prepareTimeSkipping({ say, signal });
    return starting;
  };
  try {
    const suite = {
      title: 'EXPONENTIAL BACKOFF STRESS TEST SUITE',
      part: 'TEST',
      noun: 'tests',
      allPassed: 'ALL TESTS PASSED! Exponential backoff is working correctly.',
      advice: 'Some tests failed. The lines above say what was expected and what was seen. --only 3 runs test 3 alone.',
      checks,
      only,
    };
    const { allPassed } = await runSuite(suite, { context: { timeSkipping }, say, signal });
    return allPassed ? 0 : 1;
  } finally {
    const started = await starting?.catch(() => undefined);
    await started?.stop();
  }
});
