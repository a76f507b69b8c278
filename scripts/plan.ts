import { createCommand, decimalNumber, runCommand, wholeNumber } from '../cli/command.ts';
import { toText } from '../cli/plan/to-text.ts';
import { loadConfigOrExit } from '../src/config/config.ts';
import { overridePolicy, type PolicyOverrides } from '../src/planner/override-policy.ts';
import { lintPolicy } from '../src/planner/policy-lint.ts';
import { toRetryPlan } from '../src/planner/retry-plan.ts';
import {
  type PolicyParameterName,
  policyMeanings,
  policyParameterNames,
  policyParameters,
} from '../src/policy-parameters.ts';

type Flags = PolicyOverrides & { failures?: number; check?: true; json?: true };

const toFlag = (name: PolicyParameterName) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

const mostFailures = policyParameters.maxAttempts.maximum;
const command = createCommand(
  'plan',
  'Prints the timeline of a failing task under the policy of the environment and .env.',
);
for (const name of policyParameterNames) {
  const { unit, minimum, maximum } = policyParameters[name];
  const parse = unit === 'attempts' ? wholeNumber(minimum, maximum) : decimalNumber(minimum, maximum);
  command.option(`${toFlag(name)} <number>`, policyMeanings[name], parse);
}
command
  .option('--failures <count>', 'attempts that fail before one succeeds (default: all)', wholeNumber(0, mostFailures))
  .option('--check', 'exit with code 1 if there is a warning')
  .option('--json', 'print what GET /retry-plan answers (use npm run -s)')
  .parse();
const { failures, check, json, ...overrides } = command.opts<Flags>();

await runCommand(async () => {
  const { policy: own, shutdownGraceMs } = loadConfigOrExit();
  const outcome = overridePolicy(own, overrides, toFlag);
  if ('faults' in outcome) {
    const faults = outcome.faults.map(({ parameter, message }) => `${toFlag(parameter)} ${message}`);
    return command.error(`error: ${faults.join('; ')}`);
  }
  const plan = toRetryPlan(outcome.policy, { failures });
  const warnings = lintPolicy({ policy: outcome.policy, shutdownGraceMs });
  console.log(json ? JSON.stringify({ ...plan, warnings }, null, 2) : toText(plan, warnings));
  return check && warnings.length > 0 ? 1 : 0;
});
