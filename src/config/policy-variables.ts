import { policySchema } from '../policy.ts';
import { policyParameterNames, policyParameters, toPolicyFields } from '../policy-parameters.ts';
import { toNumber } from './settings.ts';

const toNames = (text: string) => text.split(',').map((name) => name.trim());

const toVariable = (field: unknown) =>
  Object.values(policyParameters).find((parameter) => parameter.field === field)?.variable ?? 'NON_RETRYABLE_ERRORS';

/** Returns the retry policy of an environment, or all faults. Each fault names the variable that it concerns. */
export function parsePolicy(env: NodeJS.ProcessEnv) {
  const values = policyParameterNames.flatMap((name) => {
    const text = env[policyParameters[name].variable];
    return text === undefined ? [] : [[name, toNumber(text)]];
  });
  const { NON_RETRYABLE_ERRORS: names } = env;
  const { data, error } = policySchema.safeParse({
    ...toPolicyFields(Object.fromEntries(values)),
    ...(names !== undefined && { nonRetryableErrorTypes: toNames(names) }),
  });
  const faults = error?.issues.map(({ path, message }) => ({ variable: toVariable(path[0]), message })) ?? [];
  return { policy: data, faults };
}
