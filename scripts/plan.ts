import { createCommand, decimalNumber, runCommand, wholeNumber } from '../cli/command.ts';
import { toText } from '../cli/plan/to-text.ts';
import { loadConfigOrExit } from '../src/config/config.ts';
import { lintPolicy } from '../src/planner/policy-lint.ts';
import { overridePolicy, type PolicyOverrides, type PolicyWord, policyWords } from '../src/planner/policy-words.ts';
import { toRetryPlan } from '../src/planner/retry-plan.ts';

type Flags = PolicyOverrides & { failures?: number; check?: true; json?: true };

const toFlag = (word: PolicyWord) => `--${word.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

const command = createCommand('plan', 'The timeline of a failing task under the policy of this environment and .env.');
for (const word of Object.keys(policyWords) as PolicyWord[]) {
  const [, { min, max }, meaning] = policyWords[word];
  const toNumber = word === 'maxAttempts' ? wholeNumber(min, max) : decimalNumber(min, max);
  command.option(`${toFlag(word)} <number>`, meaning, toNumber);
}
command
  .option('--failures <count>', 'attempts that fail before one succeeds (default: all)', wholeNumber(0, 10_000))
  .option('--check', 'exit code 1 if there is a warning')
  .option('--json', 'print the document of GET /retry-plan (use npm run -s)')
  .parse();
const { failures, check, json, ...overrides } = command.opts<Flags>();

await runCommand(async () => {
  const { policy: own, shutdownGraceMs } = loadConfigOrExit();
  const outcome = overridePolicy(own, overrides, toFlag);
  if ('faults' in outcome)
    return command.error(
      `error: ${outcome.faults.map(({ word, message }) => `${toFlag(word)} ${message}`).join('; ')}`,
    );
  const plan = toRetryPlan(outcome.policy, { failures });
  const warnings = lintPolicy({ policy: outcome.policy, shutdownGraceMs });
  console.log(json ? JSON.stringify({ ...plan, warnings }, null, 2) : toText(plan, warnings));
  return check && warnings.length > 0 ? 1 : 0;
});
