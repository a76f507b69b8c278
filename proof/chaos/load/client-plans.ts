import { toSeededShare } from '../../../cli/seeded-share.ts';

/** What one client does with one task or batch. */
export type ClientPlan = {
  number: number;
  key: string;
  /** The category of the task, or of each item of a batch. */
  categories: string[];
  isBatch: boolean;
  /** The index of the API that the client calls first. */
  api: number;
  readsOwnWrite: boolean;
  /** Sends the same submission again. */
  repeats: boolean;
  /** Sends another body under the same key. */
  contradicts: boolean;
  watches: boolean;
  /** When the client cancels, in milliseconds after the submission. */
  cancelsAfterMs?: number;
  reruns: boolean;
};

/** The share of each category among single tasks. */
const shares: [category: string, share: number][] = [
  ['prove-plain', 0.32],
  ['prove-slow', 0.25],
  ['prove-flaky', 0.2],
  ['prove-final', 0.05],
  ['prove-down', 0.03],
  ['prove-limited', 0.07],
  ['prove-cancel', 0.08],
];

function pick(share: number): string {
  let sum = 0;
  for (const [category, part] of shares) {
    sum += part;
    if (share < sum) return category;
  }
  return 'prove-plain';
}

const itemsOfBatch = { from: 10, to: 50 };
/** A large batch has several chunks or slices. */
const itemsOfLargeBatch = { from: 500, to: 700 };
/** One large batch comes after this number of tasks, and one more after each `tasksPerLargeBatch` further tasks. */
const tasksBeforeLargeBatch = 500;
const tasksPerLargeBatch = 2_000;

/**
 * Plans clients that submit `tasks` tasks. Some large batches have up to 700 items each. About half of the other tasks
 * are in small batches. The same seed gives the same plans.
 */
export function planClients({ seed, tasks }: { seed: number; tasks: number }): ClientPlan[] {
  const plans: ClientPlan[] = [];
  let left = tasks;
  let inBatches = 0;
  let inLargeBatches = 0;
  let largeBatches = 0;
  for (let number = 1; left > 0; number += 1) {
    const draw = (what: string) => toSeededShare(seed, 'story', number, what);
    const planned = tasks - left;
    const isLarge =
      left >= itemsOfLargeBatch.from && planned >= tasksBeforeLargeBatch + largeBatches * tasksPerLargeBatch;
    const isSmall = inBatches < (planned - inLargeBatches) / 2 && left >= itemsOfBatch.from;
    const isBatch = isLarge || isSmall;
    const { from, to } = isLarge ? itemsOfLargeBatch : itemsOfBatch;
    const size = isBatch ? Math.min(left, Math.round(from + draw('size') * (to - from))) : 1;
    const categories = Array.from({ length: size }, (_, item) => {
      const category = pick(toSeededShare(seed, 'category', number, item));
      return isBatch && category === 'prove-cancel' ? 'prove-plain' : category;
    });
    const cancels = isBatch ? draw('cancel') < 0.2 : categories[0] === 'prove-cancel';
    plans.push({
      number,
      key: `prove-${seed}-${number}`,
      categories,
      isBatch,
      api: Math.floor(draw('api') * 2),
      readsOwnWrite: draw('read') < 0.5,
      repeats: draw('repeat') < 0.15,
      contradicts: draw('contradict') < 0.05,
      watches: draw('watch') < 0.2,
      ...(cancels && { cancelsAfterMs: Math.round(draw('when') * 1_500) }),
      reruns: !isBatch && draw('rerun') < 0.03,
    });
    left -= size;
    if (isLarge) {
      inLargeBatches += size;
      largeBatches += 1;
    } else if (isSmall) inBatches += size;
  }
  return plans;
}
