import { closeSync, existsSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { SetupError } from '../../cli/setup-error.ts';
import { loadConfig } from '../../src/config/config.ts';
import { runSuite } from '../checks/run-suite.ts';
import { loadEngine, toCommandLine } from '../engine.ts';
import { checks } from './checks/index.ts';
import { toReport } from './report/to-report.ts';
import { toGivenTarget } from './target/given-target.ts';
import { withOwnTarget } from './target/own-target.ts';
import type { Target } from './target/target.ts';
import { toResult } from './to-result.ts';

/** The flags of `npm run stress:system`. */
export type StressFlags = {
  tasks?: number;
  quick?: true;
  url?: string;
  jokeApi?: string;
  only?: number[];
  json?: string;
  report?: string;
  verbose?: true;
};

/**
 * Runs the checks against the Holdfast of `--url` or, without `--url`, against a new stack. Returns the exit code: 0 if
 * all checks passed, else 1.
 * @throws {SetupError} for flags that contradict each other, an unwritable file, or a Holdfast that does not answer.
 */
export async function runStress(flags: StressFlags, signal: AbortSignal): Promise<number> {
  const { quick, url, jokeApi: jokeApiUrl, json, report, tasks = quick ? 50 : 100 } = flags;
  if (jokeApiUrl !== undefined && url === undefined)
    throw new SetupError('--joke-api belongs to --url: without --url, the command starts its own joke API.');
  if (json !== undefined && json === report)
    throw new SetupError('--json and --report name the same file: give each its own.');
  for (const path of [json, report]) if (path !== undefined) requireWritable(path);
  const say = (line: string) => console.log(line);
  const options = {
    say,
    signal,
    ...(flags.verbose && { listen: (words: string) => void process.stderr.write(words) }),
  };
  const stress = (target: Target) => stressTarget(target, flags, { say, signal });
  if (url !== undefined) return await stress(await toGivenTarget(options, { tasks, url, jokeApiUrl }));
  // All tasks are submitted at once, and the API must not refuse any of them for too many requests in flight.
  const maxInFlight = Math.max(tasks, loadConfig({}).maxInFlight);
  const environment = { MAX_IN_FLIGHT: String(maxInFlight), ...(quick && { BASE_DELAY: '1' }) };
  return await withOwnTarget(options, { tasks, environment }, stress);
}

/** The engine of a Holdfast given by `--url` is not known. */
const toConfiguration = ({ policy, slots, holdfast, tasks }: Target, { quick, url }: StressFlags) => ({
  'Max Attempts': String(policy.maximumAttempts),
  'Base Delay': `${policy.initialIntervalMs / 1_000}s`,
  'Max Delay': `${policy.maximumIntervalMs / 1_000}s`,
  'Job Timeout': `${policy.startToCloseTimeoutMs / 1_000}s`,
  'Worker Concurrency': String(slots),
  Tasks: String(tasks),
  Holdfast: `${holdfast.url} (${url === undefined ? 'a stack of its own' : 'running already'})`,
  ...(url === undefined && { Engine: loadEngine() }),
  ...(quick && url === undefined && { Quick: 'yes, waits are half of the default' }),
});

async function stressTarget(
  target: Target,
  flags: StressFlags,
  { say, signal }: { say: (line: string) => void; signal: AbortSignal },
): Promise<number> {
  const { only = checks } = flags;
  const configuration = toConfiguration(target, flags);
  const suite = await runSuite(
    {
      title: 'SYSTEM STRESS TEST SUITE',
      part: 'STRESS TEST',
      noun: 'tests',
      allPassed:
        only.length === checks.length
          ? 'ALL STRESS TESTS PASSED! System is robust and reliable.'
          : `The ${only.length} chosen of ${checks.length} stress tests passed.`,
      advice: 'docs/testing.md explains what each failure points to.',
      configuration: Object.entries(configuration).map(([name, value]) => `${name}: ${value}`),
      checks,
      only: flags.only,
    },
    { context: target, say, signal },
  );
  const result = toResult({
    target,
    command: toCommandLine('stress:system', process.argv.slice(2)),
    configuration,
    suite,
    interrupted: signal.aborted,
  });
  const files = [
    { path: flags.json, text: () => `${JSON.stringify(result, null, 2)}\n` },
    { path: flags.report, text: () => toReport(result) },
  ];
  for (const { path, text } of files) {
    if (path === undefined) continue;
    withFile(path, () => writeFileSync(path, text()));
    say(`Written: ${path}`);
  }
  return suite.allPassed ? 0 : 1;
}

/**
 * Checks before the run that `path` can be written. If no file was there, leaves none.
 * @throws {SetupError} if `path` cannot be written.
 */
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
