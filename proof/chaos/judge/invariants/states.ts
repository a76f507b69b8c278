import type { Seen } from '../../types.ts';
import { type Call, type Case, groupBy, isFinal, reads } from '../join.ts';
import { aftermathMs, combine, examine, type Finding, type Invariant, toCases } from './invariant.ts';

/** Returns everything that an answer shows: the task, or the batch and its items. */
const toAll = (seen: Seen): Seen[] => [seen, ...(seen.items ?? [])];

/**
 * Returns a rank that never falls as a task or batch proceeds. The rank of an open task is the number of its attempt,
 * whether that attempt runs or is not yet due. `cancelling` ranks above all attempts, and an end above all else. The
 * rank of an open batch is its number of ended items.
 */
function toRank({ state, attempt, counts, finishedAt }: Seen): number {
  if (counts) return finishedAt ? 1e9 : counts.completed + counts.failed + counts.cancelled;
  if (isFinal(state)) return 1e9;
  return state === 'cancelling' ? 1e6 : attempt;
}

/** Returns the answers about each id, in the order in which they arrived. */
const toReads = ({ ended }: Case): Map<string, Call[]> =>
  groupBy(
    ended.filter(({ end }) => reads.includes(end.action) && end.seen),
    ({ end }) => end.id,
  );

const isOpen = ({ state }: Seen) => !isFinal(state) && state !== 'cancelling';

/**
 * Whether the answer may show a wrong number of attempts. An attempt can end while the worker of its workflow is dead,
 * stopped or cut off. Until that worker's workflow task times out (5 s), Temporal shows the attempt neither as pending
 * nor in the history, and the API shows `running` and the first attempt of the activity. That is attempt 1, or attempt
 * 2 of an item whose attempt 1 was in a slice.
 */
const isAttemptUnknown = ({ faultWithin }: Case, { invokedAt, end }: Call, { id, state, attempt }: Seen) =>
  state === 'running' &&
  attempt <= (id.includes('/') ? 2 : 1) &&
  faultWithin(invokedAt - aftermathMs, end.at) !== undefined;

export const forwardOnly: Invariant = {
  name: 'forward-only',
  title: 'A read that begins after another has ended never shows an earlier state',
  check: (proof) => {
    let checked = 0;
    const findings: Finding[] = [];
    for (const calls of toReads(proof).values()) {
      const steps = calls
        .flatMap((call) => [
          { at: call.invokedAt, isEnd: false, call },
          { at: call.end.at, isEnd: true, call },
        ])
        .sort((a, b) => a.at - b.at);
      const highest = new Map<string, Seen>();
      const floors = new Map<Call, Map<string, Seen>>();
      for (const { isEnd, call } of steps) {
        if (!isEnd) {
          floors.set(call, new Map(highest));
          continue;
        }
        for (const seen of toAll(call.end.seen as Seen)) {
          const floor = floors.get(call)?.get(seen.id);
          if (floor && !(isOpen(floor) && isAttemptUnknown(proof, call, seen))) {
            checked += 1;
            if (toRank(seen) < toRank(floor))
              findings.push({ id: seen.id, text: `it was ${toText(floor)}, and later ${toText(seen)}` });
          }
          const known = highest.get(seen.id);
          if (!known || toRank(seen) > toRank(known)) highest.set(seen.id, seen);
        }
      }
    }
    return { checked, findings };
  },
};

const toText = ({ state, attempt, counts }: Seen) =>
  counts ? `${state} with ${JSON.stringify(counts)}` : `${state}, attempt ${attempt}`;

/** Returns the part of an ended task or batch that must never change. */
const toEnd = ({ items, counts, ...end }: Seen) => JSON.stringify({ ...end, ...(isFinal(end.state) && { counts }) });

export const endNeverChanges: Invariant = {
  name: 'end-never-changes',
  title: 'An end is the same however often it is read: state, result, reason, attempts, time',
  check: (proof) => {
    const ends = new Map<string, Map<string, number>>();
    for (const calls of toReads(proof).values())
      for (const { end } of calls)
        for (const seen of toAll(end.seen as Seen)) {
          if (!isFinal(seen.state)) continue;
          const all = ends.get(seen.id) ?? new Map<string, number>();
          const text = toEnd(seen);
          ends.set(seen.id, all.set(text, (all.get(text) ?? 0) + 1));
        }
    return examine(ends, (all) => (all.size === 1 ? undefined : `${all.size} ends: ${[...all.keys()].join(' and ')}`));
  },
};

/** The API's state for each status of a closed workflow. */
const closedAs: Record<string, string> = {
  COMPLETED: 'completed',
  FAILED: 'failed',
  TERMINATED: 'failed',
  TIMED_OUT: 'failed',
  CANCELLED: 'cancelled',
};

export const sameEndInTemporal: Invariant = {
  name: 'same-end-in-temporal',
  title: 'The end that clients read is the one in Temporal’s own history',
  check: (proof) => {
    const { accepted, executionsById, works } = proof;
    const last = new Map([...toReads(proof)].map(([id, calls]) => [id, calls.at(-1)?.end.seen]));
    const whole = examine(accepted, (_, id) => {
      const status = executionsById.get(id)?.[0]?.status ?? 'unknown';
      const state = last.get(id)?.state;
      return closedAs[status] === state ? undefined : `clients see ${state}, Temporal has ${status}`;
    });
    const attempts = examine(
      [...works].filter(([, { final, batchId }]) => isFinal(final?.state) && !batchId),
      ({ final }, id) => {
        const [activity] = executionsById.get(id)?.[0]?.activities ?? [];
        // A cancelled task is not compared: its history may not say how many attempts there were.
        if (!activity || final?.state === 'cancelled') return undefined;
        return activity.attempt === final?.attempt
          ? undefined
          : `clients see ${final?.attempt} attempts, the history has ${activity.attempt}`;
      },
    );
    return combine(whole, attempts);
  },
};

export const batchCounts: Invariant = {
  name: 'batch-counts',
  title: 'The counts of every batch match its items and add up to its total',
  check: (proof) => {
    const last = [...toReads(proof).values()].flatMap((calls) => calls.at(-1)?.end.seen ?? []);
    return examine(toCases(last.filter(({ counts, items }) => counts && items)), ({ counts, items = [] }, id) => {
      const of = (state: string) => items.filter((item) => item.state === state).length;
      const own = { completed: of('completed'), failed: of('failed'), cancelled: of('cancelled') };
      const expected = proof.accepted.get(id)?.items;
      const shown = { completed: counts?.completed, failed: counts?.failed, cancelled: counts?.cancelled };
      if (counts?.total !== expected || items.length !== expected)
        return `${expected} items were submitted, ${counts?.total} are counted, ${items.length} shown`;
      return JSON.stringify(own) === JSON.stringify(shown)
        ? undefined
        : `its counts are ${JSON.stringify(shown)}, its items ${JSON.stringify(own)}`;
    });
  },
};
