import { z } from 'zod';
import { toSeededShare } from '../../cli/seeded-share.ts';
import { type Behaviour, behaviourSchema } from './behaviour.ts';
import type { LedgerEntry } from './ledger.ts';

export const ruleSchema = z.strictObject({
  when: z
    .strictObject({
      category: z.string().optional(),
      taskKey: z.string().optional(),
      attempt: z.int().min(1).optional(),
    })
    .default({}),
  then: z.array(behaviourSchema).min(1),
  repeat: z.boolean().default(false),
  ratio: z.number().min(0).max(1).default(1),
  seed: z.union([z.string(), z.int()]).default(0),
});

export type RuleInput = z.input<typeof ruleSchema>;
export type Rule = z.output<typeof ruleSchema> & { id: string };

type Request = Pick<LedgerEntry, 'seq' | 'taskKey' | 'attempt' | 'category'>;

/** In [0, 1), the same for the same task key, attempt and seed; without both headers the ledger's number stands for them. */
const toShare = ({ seq, taskKey, attempt }: Request, seed: string | number) =>
  toSeededShare(...(taskKey === null || attempt === null ? [seq] : [taskKey, attempt]), seed);

const matches = ({ when, ratio, seed }: Rule, request: Request) =>
  (when.category === undefined || when.category === request.category) &&
  (when.taskKey === undefined || when.taskKey === request.taskKey) &&
  (when.attempt === undefined || when.attempt === request.attempt) &&
  (ratio === 1 || toShare(request, seed) < ratio);

/** The rules in force. Each hands out its behaviours in order, one a matching request, counted for each task key apart. */
export function createRules() {
  let rules: (Rule & { used: Map<string | null, number> })[] = [];
  let added = 0;
  return {
    /**
     * Adds a rule, which goes before all earlier ones, and gives its id.
     * @throws {z.ZodError} naming what is wrong with it.
     */
    add(input: RuleInput): string {
      const rule = { id: '', ...ruleSchema.parse(input), used: new Map() };
      rule.id = String(++added);
      rules.unshift(rule);
      return rule.id;
    },
    /** False if there is no such rule. */
    remove(id: string): boolean {
      const before = rules.length;
      rules = rules.filter((rule) => rule.id !== id);
      return rules.length < before;
    },
    clear() {
      rules = [];
    },
    /** The rules, the one that is asked first in front; `applied` counts the requests that each decided. */
    list: () =>
      rules.map(({ used, ...rule }) => ({ ...rule, applied: [...used.values()].reduce((sum, n) => sum + n, 0) })),
    /** A category that a rule names exists as long as the rule does. */
    names: (category: string) => rules.some(({ when }) => when.category === category),
    /** How to answer this request; a rule whose list is used up says `{}`, a good answer. Uses one behaviour up. */
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
