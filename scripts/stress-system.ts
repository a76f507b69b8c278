import { createCommand, runCommand, wholeNumber } from '../cli/command.ts';
import { checkNumbers, toCheckList } from '../proof/checks/check-numbers.ts';
import { engineHelp } from '../proof/engine.ts';
import { checks } from '../proof/system/checks/index.ts';
import { runStress, type StressFlags } from '../proof/system/run-stress.ts';

const flags = createCommand('stress:system', 'Runs eight checks under load against a live Holdfast, over HTTP.')
  .option('--tasks <count>', 'how many tasks the load checks submit', wholeNumber(1, 10_000))
  .option('--quick', '50 tasks; without --url, also half the waits (BASE_DELAY=1)')
  .option('--url <url>', 'a running Holdfast (default: starts one with a joke API, and stops it at the end)')
  .option('--joke-api <url>', 'the joke API that the Holdfast at --url calls')
  .option('--only <numbers>', `run only these of the ${checks.length} checks, for example 1,3`, checkNumbers(checks))
  .option('--json <file>', 'write every figure to this file')
  .option('--report <file>', 'write an HTML report to this file')
  .option('--verbose', "show the log of the stack's processes on stderr")
  .addHelpText(
    'after',
    `
Checks:
${toCheckList(checks)}

Set HOLDFAST_API_KEY to the key if Holdfast has API_KEYS.${engineHelp}`,
  )
  .parse()
  .opts<StressFlags>();

await runCommand((signal) => runStress(flags, signal));
