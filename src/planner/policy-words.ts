import { type Policy, policySchema } from '../policy.ts';

/** The numbers of a policy in the words of their variables (MAX_ATTEMPTS → maxAttempts), durations in seconds. */
export const policyWords = {
  maxAttempts: ['maximumAttempts', { min: 1, max: 10_000 }, 'attempts in all, the first included'],
  baseDelay: ['initialIntervalMs', { min: 0.001, max: 86_400 }, 'seconds before the second attempt'],
  backoffCoefficient: [
    'backoffCoefficient',
    { min: 1, max: 1_000 },
    'each further wait is so many times the one before',
  ],
  maxDelay: ['maximumIntervalMs', { min: 0.001, max: 86_400 }, 'seconds that no wait exceeds'],
  jitter: ['jitter', { min: 0, max: 1 }, 'each wait is lengthened by up to this share of itself'],
  jobTimeout: ['startToCloseTimeoutMs', { min: 0.1, max: 86_400 }, 'seconds for one attempt'],
  heartbeatTimeout: [
    'heartbeatTimeoutMs',
    { min: 1, max: 86_400 },
    'seconds without a heartbeat until an attempt counts as stalled; not given, a default (10 or a third of the job timeout) follows the job timeout',
  ],
} as const satisfies Record<string, [field: keyof Policy, bounds: { min: number; max: number }, meaning: string]>;

export type PolicyWord = keyof typeof policyWords;
export type PolicyOverrides = Partial<Record<PolicyWord, number>>;
type Fault = { word: PolicyWord; message: string };

const words = Object.keys(policyWords) as PolicyWord[];
const toFactor = (word: PolicyWord) => (policyWords[word][0].endsWith('Ms') ? 1_000 : 1);

/** Seconds to the microsecond: what floating point adds beyond that is noise. */
export const toSeconds = (ms: number) => Math.round(ms * 1_000) / 1_000_000;

/**
 * The policy with some of its numbers replaced, or every fault of that, each under a word that was given. `spell` writes the
 * words of the messages as the caller knows them.
 */
export function overridePolicy(
  policy: Policy,
  overrides: PolicyOverrides,
  spell: (word: PolicyWord) => string = (word) => word,
): { policy: Policy } | { faults: Fault[] } {
  const { heartbeatTimeoutMs, ...rest } = policy;
  const isDefault = heartbeatTimeoutMs === policySchema.parse({ ...rest }).heartbeatTimeoutMs;
  const replaced = words.flatMap((word) => {
    const value = overrides[word];
    return value === undefined ? [] : [[policyWords[word][0], value * toFactor(word)]];
  });
  const parsed = policySchema.safeParse({ ...(isDefault ? rest : policy), ...Object.fromEntries(replaced) });
  const faults = (parsed.error?.issues ?? []).map(({ path, message }) => toFault(path[0], message, overrides, spell));
  if ((overrides.heartbeatTimeout ?? 1) < 1)
    faults.push({ word: 'heartbeatTimeout', message: 'must be at least 1 second' });
  return parsed.success && faults.length === 0 ? { policy: parsed.data } : { faults };
}

/** A fault between two numbers of which only one was given is that one's, whichever the schema names. */
function toFault(field: unknown, told: string, overrides: PolicyOverrides, spell: (word: PolicyWord) => string): Fault {
  const message = words.reduce((text, word) => text.replace(`(${toVariable(word)})`, `(${spell(word)})`), told);
  const word = words.find((each) => policyWords[each][0] === field) ?? 'maxAttempts';
  if (overrides[word] !== undefined) return { word, message };
  const given = word === 'maxDelay' ? 'baseDelay' : 'jobTimeout';
  return { word: given, message: `asks for another ${spell(word)}, which ${message}` };
}

const toVariable = (word: PolicyWord) => word.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();

/** The policy in those words, durations in seconds. */
export const toWords = (policy: Policy) => ({
  ...(Object.fromEntries(
    words.map((word) => {
      const value = policy[policyWords[word][0]];
      return [word, toFactor(word) === 1 ? value : toSeconds(value)];
    }),
  ) as Record<PolicyWord, number>),
  nonRetryableErrors: policy.nonRetryableErrorTypes,
});
