import { z } from 'zod';
import { toSeededShare } from '../../cli/seeded-share.ts';
import { type Behaviour, behaviourSchema } from './behaviour.ts';
import type { LedgerEntry } from './ledger.ts';

const text = z.string().optional();

export const ruleSchema = z.strictObject({
  when: z.strictObject({ category: text, taskKey: text, attempt: z.int().min(1).optional() }).default({}),
  then: z.array(behaviourSchema).min(1),
  repeat: z.boolean().default(false),
  ratio: z.number().min(0).max(1).default(1),
  seed: z.union([z.string(), z.int()]).default(0),
});

export type RuleInput = z.input<typeof ruleSchema>;
export type Rule = z.output<typeof ruleSchema> & { id: string };

type Request = Pick<LedgerEntry, 'seq' | 'taskKey' | 'attempt' | 'category'>;

/**
 * Returns a number in [0, 1) that depends only on task key, attempt and seed. If the request has no task key or no
 * attempt, its `seq` in the ledger takes their place.
 */
const toShare = ({ seq, taskKey, attempt }: Request, seed: string | number) =>
  toSeededShare(...(taskKey === null || attempt === null ? [seq] : [taskKey, attempt]), seed);

const matches = ({ when, ratio, seed }: Rule, request: Request) =>
  (when.category === undefined || when.category === request.category) &&
  (when.taskKey === undefined || when.taskKey === request.taskKey) &&
  (when.attempt === undefined || when.attempt === request.attempt) &&
  (ratio === 1 || toShare(request, seed) < ratio);

/** Creates the list of rules. Each task key gets a rule's behaviours in order, one for each matching request. */
export function createRules() {
  let rules: (Rule & { used: Map<string | null, number> })[] = [];
  let added = 0;
  return {
    /**
     * Adds a rule in front of all earlier ones and returns its id.
     * @throws {z.ZodError} if the rule is invalid.
     */
    add(input: RuleInput): string {
      const rule = { id: '', ...ruleSchema.parse(input), used: new Map() };
      rule.id = String(++added);
      rules.unshift(rule);
      return rule.id;
    },
    /** Removes a rule. Returns false if there is no rule with this id. */
    remove(id: string): boolean {
      const before = rules.length;
      rules = rules.filter((rule) => rule.id !== id);
      return rules.length < before;
    },
    /** Removes all rules. */
    clear() {
      rules = [];
    },
    /** Returns the rules in the order that `next` tries them. `applied` counts the requests that a rule decided. */
    list: () =>
      rules.map(({ used, ...rule }) => ({ ...rule, applied: [...used.values()].reduce((sum, n) => sum + n, 0) })),
    /** Returns whether a rule names this category. A category that a rule names exists until the rule is removed. */
    names: (category: string) => rules.some(({ when }) => when.category === category),
    /**
     * Returns how to answer this request, and uses up one behaviour of the first rule that matches. When the task key
     * has used up all its behaviours, returns the last one again if the rule has `repeat`. Otherwise, or if no rule
     * matches, returns `{}`, which asks for a good answer.
     */
    next(request: Request): Behaviour {
      const rule = rules.find((candidate) => matches(candidate, request));
      if (!rule) return {};
      const used = rule.used.get(request.taskKey) ?? 0;
      rule.used.set(request.taskKey, used + 1);
      return rule.then[used] ?? (rule.repeat ? rule.then.at(-1) : undefined) ?? {};
    },
  };
}

export type Rules = ReturnType<typeof createRules>;
