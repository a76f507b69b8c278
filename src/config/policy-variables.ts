import { policySchema } from '../policy.ts';
import { policyParameterNames, toParameterName, toPolicyFields, toVariable } from '../policy-parameters.ts';
import { toNumber } from './settings.ts';

const toNames = (text: string) => text.split(',').map((name) => name.trim());

/** The variables of the retry policy. */
export const policyVariables = [...policyParameterNames.map(toVariable), 'NON_RETRYABLE_ERRORS'];

/** Returns the retry policy of an environment, or all faults. Each fault names the variable that it concerns. */
export function parsePolicy(env: NodeJS.ProcessEnv) {
  const values = policyParameterNames.flatMap((name) => {
    const text = env[toVariable(name)];
    return text === undefined ? [] : [[name, toNumber(text)]];
  });
  const { NON_RETRYABLE_ERRORS: names } = env;
  const { data, error } = policySchema.safeParse({
    ...toPolicyFields(Object.fromEntries(values)),
    ...(names !== undefined && { nonRetryableErrorTypes: toNames(names) }),
  });
  const faults = (error?.issues ?? []).map(({ path, message }) => {
    const name = toParameterName(path[0]);
    return { variable: name ? toVariable(name) : 'NON_RETRYABLE_ERRORS', message };
  });
  return { policy: data, faults };
}
