import { closeSync, existsSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import { createCommand, runCommand, wholeNumber } from '../cli/command.ts';
import { SetupError } from '../cli/setup-error.ts';
import { runSuite } from '../proof/checks/run-suite.ts';
import { burstLoad } from '../proof/system/checks/bursts.ts';
import { capacity } from '../proof/system/checks/capacity.ts';
import { connections } from '../proof/system/checks/connections.ts';
import { errorHandling } from '../proof/system/checks/errors.ts';
import { memory } from '../proof/system/checks/memory.ts';
import { retries } from '../proof/system/checks/retries.ts';
import { submissions } from '../proof/system/checks/submissions.ts';
import { jobTimeout } from '../proof/system/checks/timeout.ts';
import { toReport } from '../proof/system/report/to-report.ts';
import { toGivenTarget } from '../proof/system/target/given-target.ts';
import { withOwnTarget } from '../proof/system/target/own-target.ts';
import type { Target } from '../proof/system/target/target.ts';
import { toResult } from '../proof/system/to-result.ts';
import { loadConfig } from '../src/config/config.ts';

const checks = [submissions, retries, capacity, burstLoad, jobTimeout, connections, memory, errorHandling].map(
  (check, index) => ({ number: index + 1, check }),
);

function toNumbers(text: string): number[] {
  const numbers = text.split(',').map(wholeNumber(1, checks.length));
  if (new Set(numbers).size < numbers.length) throw new InvalidArgumentError('It names a check twice.');
  return numbers;
}

const command = createCommand('stress:system', 'Eight checks under load against a live Holdfast, over HTTP.')
  .option('--tasks <count>', 'how many tasks the load checks submit', wholeNumber(1, 10_000))
  .option('--quick', '50 tasks; in a stack of its own also waits of half the length (BASE_DELAY=1)')
  .option('--url <url>', 'a Holdfast that runs already; without it one is started, with a joke API, and stopped again')
  .option('--joke-api <url>', 'the joke API that is the upstream of that Holdfast')
  .option('--only <numbers>', `some of the checks, as 1,3 (of ${checks.length})`, toNumbers)
  .option('--json <file>', 'write every figure there')
  .option('--report <file>', 'write an HTML report there')
  .option('--verbose', "show the words of the stack's processes, on stderr")
  .addHelpText(
    'after',
    `
Checks:
${checks.map(({ number, check }) => `  ${number}  ${check.title}`).join('\n')}

The key of a Holdfast with API_KEYS is read from HOLDFAST_API_KEY.`,
  )
  .parse();

type Flags = {
  tasks?: number;
  quick?: true;
  url?: string;
  jokeApi?: string;
  only?: number[];
  json?: string;
  report?: string;
  verbose?: true;
};
const flags = command.opts<Flags>();
const { quick, url, jokeApi: jokeApiUrl, only = checks.map(({ number }) => number), json, report } = flags;
const tasks = flags.tasks ?? (quick ? 50 : 100);
const say = (line: string) => console.log(line);

/** Found out before the work, not after it; a file that this makes is gone again until there is something to write. */
function requireWritable(path: string) {
  const isNew = !existsSync(path);
  withFile(path, () => closeSync(openSync(path, 'a')));
  if (isNew) rmSync(path);
}

function withFile(path: string, work: () => void) {
  try {
    work();
  } catch (error) {
    throw new SetupError(`${path} cannot be written (${(error as NodeJS.ErrnoException).code}): name another file.`);
  }
}

const toConfiguration = ({ policy, slots, holdfast }: Target): Record<string, string> => ({
  'Max Attempts': String(policy.maximumAttempts),
  'Base Delay': `${policy.initialIntervalMs / 1_000}s`,
  'Max Delay': `${policy.maximumIntervalMs / 1_000}s`,
  'Job Timeout': `${policy.startToCloseTimeoutMs / 1_000}s`,
  'Worker Concurrency': String(slots),
  Tasks: String(tasks),
  Holdfast: `${holdfast.url} (${url === undefined ? 'a stack of its own' : 'running already'})`,
  ...(quick && url === undefined && { Quick: 'yes, waits are half of the default' }),
});

async function stress(target: Target, signal: AbortSignal): Promise<number> {
  const configuration = toConfiguration(target);
  const suite = await runSuite(
    {
      title: 'SYSTEM STRESS TEST SUITE',
      part: 'STRESS TEST',
      noun: 'tests',
      allPassed:
        only.length === checks.length
          ? 'ALL STRESS TESTS PASSED! System is robust and reliable.'
          : `The ${only.length} chosen of ${checks.length} stress tests passed.`,
      advice: 'docs/testing.md tells what each failure points to.',
      configuration: Object.entries(configuration).map(([name, value]) => `${name}: ${value}`),
      checks: checks.filter(({ number }) => only.includes(number)),
    },
    { context: target, say, signal },
  );
  const line = ['npm run stress:system --', ...process.argv.slice(2)].join(' ');
  const result = toResult({ target, command: line, configuration, suite, interrupted: signal.aborted });
  const files = [
    { path: json, text: () => `${JSON.stringify(result, null, 2)}\n` },
    { path: report, text: () => toReport(result) },
  ];
  for (const { path, text } of files) {
    if (path === undefined) continue;
    withFile(path, () => writeFileSync(path, text()));
    say(`Written: ${path}`);
  }
  return suite.allPassed ? 0 : 1;
}

await runCommand(async (signal) => {
  if (jokeApiUrl !== undefined && url === undefined)
    throw new SetupError('--joke-api belongs to --url: without it a stack with a joke API of its own is started.');
  if (json !== undefined && json === report)
    throw new SetupError('--json and --report name the same file: give each its own.');
  for (const path of [json, report]) if (path !== undefined) requireWritable(path);
  const options = {
    say,
    signal,
    ...(flags.verbose && { listen: (words: string) => void process.stderr.write(words) }),
  };
  if (url !== undefined) return await stress(await toGivenTarget(options, { tasks, url, jokeApiUrl }), signal);
  // All are submitted at once, and none of them is to be shed.
  const maxInFlight = Math.max(tasks, loadConfig({}).maxInFlight);
  const environment = { MAX_IN_FLIGHT: String(maxInFlight), ...(quick && { BASE_DELAY: '1' }) };
  return await withOwnTarget(options, { tasks, environment }, (target) => stress(target, signal));
});
