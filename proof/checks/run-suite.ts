import { createProgress, type Say } from '../../cli/progress.ts';
import { SetupError } from '../../cli/setup-error.ts';
import { ConfigError } from '../../src/config/config.ts';
import { type Check, CheckFailure, type Verdict } from './check.ts';

const rule = '='.repeat(80);
const banner = (title: string) => `${rule}\n${title}\n${rule}`;
const marks = { passed: '✅ PASSED', failed: '❌ FAILED', 'not-run': '⚠️  NOT RUN' } as const;
const barWidth = 30;

/** Formats local time as `2024-10-14 20:45:00`. */
const toClock = (date: Date) => `${date.toLocaleDateString('sv')} ${date.toLocaleTimeString('sv')}`;

function toBar(text: string, done: number, total: number): string {
  const filled = total === 0 ? barWidth : Math.min(barWidth, Math.floor((done / total) * barWidth));
  return `${text} [${'#'.repeat(filled)}${'-'.repeat(barWidth - filled)}] ${done}/${total}`;
}

type Suite<Context> = {
  /** The heading, such as `SYSTEM STRESS TEST SUITE`. */
  title: string;
  /** The word before the number of each check: `TEST`, `STRESS TEST`, `SCENARIO`. */
  part: string;
  /** The noun in the total, such as `tests` in `Total: 8/8 tests passed`. */
  noun: string;
  /** The last line if all checks passed. */
  allPassed: string;
  /** The last line if some checks did not pass. It says what to do. */
  advice: string;
  /** All checks, in the order of their numbers. The first check has the number 1. */
  checks: Check<Context>[];
  /** The numbers of the checks to run, in the order of running. If undefined, all checks run. */
  only?: number[] | undefined;
  /** The lines below `Configuration:`. */
  configuration?: string[];
};

type Run<Context> = { context: Context; say: Say; signal: AbortSignal };

async function runCheck<Context>(check: Check<Context>, { context, say, signal }: Run<Context>): Promise<Verdict> {
  const started = performance.now();
  let bar = createProgress(say);
  const end = (status: Verdict['status'], detail: string): Verdict => {
    bar.end();
    return { title: check.title, status, detail, seconds: (performance.now() - started) / 1_000 };
  };
  const reason = check.unavailable?.(context);
  if (reason) return end('not-run', reason);
  const tools = {
    signal,
    say: (line: string) => {
      bar.end();
      say(line);
    },
    progress: (text: string, done: number, total: number) => {
      bar.update(toBar(text, done, total));
      if (done < total) return;
      bar.end();
      bar = createProgress(say);
    },
  };
  try {
    return end('passed', await check.run(context, tools));
  } catch (error) {
    if (signal.aborted) return end('not-run', 'interrupted');
    if (error instanceof CheckFailure || error instanceof SetupError || error instanceof ConfigError)
      return end('failed', error.message);
    say(String((error as Error).stack ?? error));
    return end('failed', `the check has a bug: ${error}`);
  }
}

/**
 * Runs the checks of a suite one after the other and prints evidence, verdicts and a summary. A check that could not
 * be run counts as not passed. After Ctrl-C, skips the remaining checks, and the summary lists them as not run.
 * Returns the verdicts, when the suite started and completed, and whether all chosen checks passed.
 */
export async function runSuite<Context>(suite: Suite<Context>, run: Run<Context>) {
  const { say, signal } = run;
  const startedAt = new Date();
  say(`${banner(suite.title)}\nStarted at: ${toClock(startedAt)}`);
  if (suite.configuration) say(['', 'Configuration:', ...suite.configuration.map((line) => `  ${line}`)].join('\n'));
  const verdicts: Verdict[] = [];
  for (const number of suite.only ?? suite.checks.map((_, index) => index + 1)) {
    const check = suite.checks[number - 1] as Check<Context>;
    if (signal.aborted) {
      verdicts.push({ title: check.title, status: 'not-run', detail: 'interrupted', seconds: 0 });
      continue;
    }
    say(`\n${banner(`${suite.part} ${number}: ${check.title}`)}\n`);
    const verdict = await runCheck(check, run);
    say(`\n${marks[verdict.status]}: ${verdict.detail}`);
    verdicts.push(verdict);
  }
  const passed = verdicts.filter(({ status }) => status === 'passed').length;
  const completedAt = new Date();
  say(`\n${banner(signal.aborted ? 'SUMMARY OF WHAT WAS DONE (interrupted)' : 'FINAL SUMMARY')}`);
  for (const { status, title, detail } of verdicts)
    say(`${marks[status]}: ${title}${status === 'passed' ? '' : ` (${detail})`}`);
  say(`\nTotal: ${passed}/${verdicts.length} ${suite.noun} passed\nCompleted at: ${toClock(completedAt)}`);
  const allPassed = passed === verdicts.length;
  if (!signal.aborted) say(allPassed ? `\n🎉 ${suite.allPassed}` : `\n${suite.advice}`);
  return { startedAt, completedAt, verdicts, allPassed };
}
