import { type Policy, policySchema, toDefaultHeartbeatTimeoutMs } from '../policy.ts';
import {
  type PolicyParameterName,
  policyParameterNames,
  toParameterName,
  toPolicyFields,
  toVariable,
} from '../policy-parameters.ts';

export type PolicyOverrides = Partial<Record<PolicyParameterName, number>>;
type ToLabel = (name: PolicyParameterName) => string;
type Fault = { parameter: PolicyParameterName; message: string };

/**
 * Returns the policy with the parameters of `overrides` replaced, or all faults. Each fault names a parameter of
 * `overrides`. `toLabel` returns the name that messages use for a parameter. By default, messages use the parameter's
 * name in the API.
 */
export function overridePolicy(
  policy: Policy,
  overrides: PolicyOverrides,
  toLabel: ToLabel = (name) => name,
): { policy: Policy } | { faults: Fault[] } {
  const { heartbeatTimeoutMs, ...rest } = policy;
  // A default heartbeat timeout is derived again from the new job timeout. Any other stays unless it is overridden.
  const isDefault = heartbeatTimeoutMs === toDefaultHeartbeatTimeoutMs(policy.startToCloseTimeoutMs);
  const parsed = policySchema.safeParse({ ...(isDefault ? rest : policy), ...toPolicyFields(overrides) });
  if (parsed.success) return { policy: parsed.data };
  return { faults: parsed.error.issues.map(({ path, message }) => toFault(path[0], message, overrides, toLabel)) };
}

/**
 * A fault may concern two parameters that contradict each other. If `overrides` has only one of them, the fault is
 * reported for that parameter.
 */
function toFault(field: unknown, fault: string, overrides: PolicyOverrides, toLabel: ToLabel): Fault {
  const message = policyParameterNames.reduce(
    (text, name) => text.replace(`(${toVariable(name)})`, `(${toLabel(name)})`),
    fault,
  );
  const parameter = toParameterName(field) ?? 'maxAttempts';
  if (overrides[parameter] !== undefined) return { parameter, message };
  const given = parameter === 'maxDelay' ? 'baseDelay' : 'jobTimeout';
  return { parameter: given, message: `does not fit ${toLabel(parameter)}: ${toLabel(parameter)} ${message}` };
}
