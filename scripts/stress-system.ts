import { createCommand, runCommand, wholeNumber } from '../cli/command.ts';
import { checkNumbers, toCheckList } from '../proof/checks/check-numbers.ts';
import { checks } from '../proof/system/checks/index.ts';
import { runStress, type StressFlags } from '../proof/system/run-stress.ts';

const flags = createCommand('stress:system', 'Eight checks under load against a live Holdfast, over HTTP.')
  .option('--tasks <count>', 'how many tasks the load checks submit', wholeNumber(1, 10_000))
  .option('--quick', '50 tasks; in its own stack also half the waits (BASE_DELAY=1)')
  .option('--url <url>', 'a running Holdfast; without it one is started, with a joke API, and stopped again')
  .option('--joke-api <url>', 'the joke API that is the upstream of that Holdfast')
  .option('--only <numbers>', `some of the checks, as 1,3 (of ${checks.length})`, checkNumbers(checks))
  .option('--json <file>', 'write every figure to this file')
  .option('--report <file>', 'write an HTML report to this file')
  .option('--verbose', "show the log of the stack's processes on stderr")
  .addHelpText(
    'after',
    `
Checks:
${toCheckList(checks)}

The key of a Holdfast with API_KEYS is read from HOLDFAST_API_KEY.`,
  )
  .parse()
  .opts<StressFlags>();

await runCommand((signal) => runStress(flags, signal));
