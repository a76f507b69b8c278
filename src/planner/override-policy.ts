import { type Policy, policySchema, toDefaultHeartbeatTimeoutMs } from '../policy.ts';
import {
  type PolicyParameterName,
  policyParameterNames,
  policyParameters,
  toPolicyFields,
} from '../policy-parameters.ts';

export type PolicyOverrides = Partial<Record<PolicyParameterName, number>>;
type ToLabel = (name: PolicyParameterName) => string;
type Fault = { parameter: PolicyParameterName; message: string };

/**
 * Returns the policy with some parameters replaced, or all faults. Each fault is reported for a parameter in `overrides`.
 * `toLabel` returns how messages write a parameter: its name in the API by default.
 */
export function overridePolicy(
  policy: Policy,
  overrides: PolicyOverrides,
  toLabel: ToLabel = (name) => name,
): { policy: Policy } | { faults: Fault[] } {
  const { heartbeatTimeoutMs, ...rest } = policy;
  // A default heartbeat timeout follows a new job timeout. One that was set stays.
  const isDefault = heartbeatTimeoutMs === toDefaultHeartbeatTimeoutMs(policy.startToCloseTimeoutMs);
  const parsed = policySchema.safeParse({ ...(isDefault ? rest : policy), ...toPolicyFields(overrides) });
  if (parsed.success) return { policy: parsed.data };
  return { faults: parsed.error.issues.map(({ path, message }) => toFault(path[0], message, overrides, toLabel)) };
}

/** If only one of two parameters that contradict each other was given, the fault is reported for that one. */
function toFault(field: unknown, fault: string, overrides: PolicyOverrides, toLabel: ToLabel): Fault {
  const message = policyParameterNames.reduce(
    (text, name) => text.replace(`(${policyParameters[name].variable})`, `(${toLabel(name)})`),
    fault,
  );
  const parameter = policyParameterNames.find((name) => policyParameters[name].field === field) ?? 'maxAttempts';
  if (overrides[parameter] !== undefined) return { parameter, message };
  const given = parameter === 'maxDelay' ? 'baseDelay' : 'jobTimeout';
  return { parameter: given, message: `needs a different ${toLabel(parameter)}, which ${message}` };
}
