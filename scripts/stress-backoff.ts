import { InvalidArgumentError } from 'commander';
import { createCommand, runCommand } from '../cli/command.ts';
import { prepareTimeSkipping } from '../local/time-skipping/prepare-time-skipping.ts';
import type { TimeSkipping } from '../local/time-skipping/start-time-skipping.ts';
import { checks } from '../proof/backoff/checks.ts';
import { runSuite } from '../proof/checks/run-suite.ts';

/** `npm run stress:backoff`: the backoff under seven checks; where time must pass, it passes on the time-skipping server. */
function toNumbers(text: string): number[] {
  const numbers = text.split(',').map(Number);
  if (/^\d+(,\d+)*$/.test(text) && numbers.every((number) => number >= 1 && number <= checks.length)) return numbers;
  throw new InvalidArgumentError(`It must be numbers from 1 to ${checks.length}, with commas between them.`);
}

const command = createCommand('stress:backoff', 'Puts the exponential backoff to the test, in seven checks.')
  .option('--only <numbers>', 'run only these checks: 1,3', toNumbers)
  .addHelpText('after', `\nChecks:\n${checks.map(({ title }, index) => `  ${index + 1}  ${title}`).join('\n')}`)
  .parse();
const { only } = command.opts<{ only?: number[] }>();

await runCommand(async (signal) => {
  const say = (line: string) => console.log(line);
  let starting: Promise<TimeSkipping> | undefined;
  const timeSkipping = () => {
    starting ??= prepareTimeSkipping({ say, signal });
    return starting;
  };
  try {
    const { allPassed } = await runSuite(
      {
        title: 'EXPONENTIAL BACKOFF STRESS TEST SUITE',
        part: 'TEST',
        noun: 'tests',
        allPassed: 'ALL TESTS PASSED! Exponential backoff is working correctly.',
        advice:
          'Not all passed: above stands what was expected and what was seen; --only 3 runs the third check alone.',
        checks: checks
          .map((check, index) => ({ number: index + 1, check }))
          .filter(({ number }) => only?.includes(number) ?? true),
      },
      { context: { timeSkipping }, say, signal },
    );
    return allPassed ? 0 : 1;
  } finally {
    const started = await starting?.catch(() => undefined);
    await started?.stop();
  }
});
