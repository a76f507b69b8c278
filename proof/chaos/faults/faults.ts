import { setTimeout as sleep } from 'node:timers/promises';
import { nowMs } from '../../../cli/measurement.ts';
import { holdsSoon, until } from '../../../cli/until.ts';
import type { Part } from '../stack/part.ts';
import type { Mode, TcpProxy } from '../stack/proxy.ts';
import type { ProvedStack } from '../stack/stack.ts';
import type { FaultRecord, PlannedFault } from '../types.ts';
import { toFaultRule } from './upstream-rules.ts';

type Seen = { target: string; verified: boolean; seen: string };
type Begin = () => void;

/** A fault that has not affected anything yet is extended by up to this long. */
const patienceMs = 4_000;
/** The maximum number of faults at once. With more, most tasks would only wait. */
const mostAtOnce = 3;
const deathCheckMs = 250;
const busyCalls = 3;

/** Creates functions that inject the faults of a plan into a stack, verify the effect of each fault and heal it. */
export function createFaults(stack: ProvedStack, signal: AbortSignal) {
  const busy = new Set<object>();
  const deaths: string[] = [];

  /**
   * Returns the candidate that `pick` selects. If that candidate has a fault, returns the next one without. Waits
   * while all candidates have a fault.
   */
  async function take<T extends object>(candidates: T[], pick: number): Promise<T> {
    const first = Math.floor(pick * candidates.length);
    // Marks the candidate as busy in the same tick, so that no other fault takes it.
    const takeFree = () => {
      const ordered = [...candidates.slice(first), ...candidates.slice(0, first)];
      const free = ordered.find((candidate) => !busy.has(candidate));
      if (free) busy.add(free);
      return free;
    };
    return (await until(takeFree, { everyMs: 20, signal })) as T;
  }

  const withPart = async (
    { pick }: PlannedFault,
    role: string,
    begin: Begin,
    work: (part: Part) => Promise<Seen>,
  ): Promise<Seen> => {
    const parts = stack.parts.filter((part) => part.role === role);
    const part = await take(parts, pick);
    begin();
    try {
      return await work(part);
    } finally {
      busy.delete(part);
    }
  };

  const families: Record<string, (planned: PlannedFault, where: string, begin: Begin) => Promise<Seen>> = {
    kill: (planned, role, begin) =>
      withPart(planned, role, begin, async (part) => {
        if (role === 'worker') await untilBusy();
        begin();
        const seen = await part.kill();
        await sleep(planned.durationMs);
        await part.start();
        return { target: part.name, ...seen };
      }),
    stop: (planned, role, begin) =>
      withPart(planned, role, begin, async (part) => {
        const seen = await part.pause();
        await sleep(planned.durationMs, undefined, { signal }).catch(() => {});
        const wentOn = await part.resume();
        return { target: part.name, verified: seen.verified && wentOn, seen: `${seen.seen}, later it continued` };
      }),
    deploy: (planned, role, begin) =>
      withPart(planned, role, begin, async (part) => {
        const seen = await part.end();
        await part.start();
        return { target: part.name, ...seen };
      }),
    upstream: async (planned) => {
      const id = await stack.jokeApi.addRule(toFaultRule(planned.kind, planned.number));
      const toApplied = async () => (await stack.jokeApi.rules()).find((rule) => rule.id === id)?.applied ?? 0;
      await lastUntilEffect(planned, async () => (await toApplied()) > 0);
      const applied = await toApplied();
      await stack.jokeApi.removeRule(id);
      return { target: 'joke-api', verified: applied > 0, seen: `${applied} calls were answered that way` };
    },
    delay: (planned, link, begin) =>
      disturb(planned, link, begin, { kind: 'delay', ms: Math.round(100 + planned.pick * 400) }),
    cut: (planned, link, begin) => disturb(planned, link, begin, { kind: 'cut' }),
    drop: (planned, link, begin) => disturb(planned, link, begin, { kind: 'drop' }),
  };

  /**
   * Waits for open calls, because an idle worker has nothing to recover. With `busyCalls` open calls, each worker most
   * likely has one of them.
   */
  async function untilBusy() {
    // `after` is beyond the last sequence number, so the answer lists no calls and only gives the number of open ones.
    const toOpen = async () => (await stack.jokeApi.ledger({ after: '999999999999999' })).inFlight;
    await holdsSoon(async () => (await toOpen()) >= busyCalls, { withinMs: patienceMs / 2, signal });
  }

  async function lastUntilEffect({ durationMs }: PlannedFault, hasEffect: () => boolean | Promise<boolean>) {
    await sleep(durationMs, undefined, { signal }).catch(() => {});
    await holdsSoon(hasEffect, { withinMs: patienceMs, everyMs: 100, signal });
  }

  async function disturb(planned: PlannedFault, link: string, begin: Begin, mode: Mode): Promise<Seen> {
    const proxies: Record<string, TcpProxy[]> = {
      clients: stack.clientProxies,
      temporal: [stack.temporalProxy],
      upstream: [stack.upstreamProxy],
    };
    const proxy = await take(proxies[link] ?? [], planned.pick);
    begin();
    proxy.set(mode);
    await lastUntilEffect(planned, () => proxy.affected() > 0);
    const affected = proxy.set({ kind: 'pass' });
    busy.delete(proxy);
    const what = { delay: 'chunks were late', cut: 'connections were cut', drop: 'answers were dropped', pass: '' }[
      mode.kind
    ];
    return { target: `${link}:${proxy.port}`, verified: affected > 0, seen: `${affected} ${what}` };
  }

  async function inject(planned: PlannedFault): Promise<FaultRecord> {
    const [family = '', where = ''] = planned.kind.split('-');
    let startedAt = nowMs();
    const seen = await families[family]?.(planned, where, () => {
      startedAt = nowMs();
    });
    if (!seen) throw new Error(`No such fault: ${planned.kind}`);
    return { ...planned, ...seen, startedAt, endedAt: nowMs() };
  }

  return {
    deaths,
    /**
     * Injects the faults in order. Two faults overlap where the plan has a negative pause. No fault starts after
     * `deadline` (epoch milliseconds). Returns the faults as they happened.
     */
    async run(plan: PlannedFault[], deadline: number, onDone: (record: FaultRecord) => void): Promise<FaultRecord[]> {
      const records: FaultRecord[] = [];
      const active = new Set<Promise<void>>();
      const begin = (planned: PlannedFault) => {
        const done = inject(planned).then((record) => {
          records.push(record);
          onDone(record);
        });
        const tracked = done.finally(() => active.delete(tracked));
        active.add(tracked);
        return tracked;
      };
      try {
        for (const planned of plan) {
          if (nowMs() > deadline || signal.aborted) break;
          while (active.size >= mostAtOnce) await Promise.race(active);
          const done = begin(planned);
          const aheadMs = planned.durationMs + planned.pauseMs;
          if (planned.pauseMs < 0) await Promise.race([done, sleep(Math.max(0, aheadMs), undefined, { signal })]);
          else await done.then(() => sleep(planned.pauseMs, undefined, { signal }));
        }
        await Promise.all(active);
        return records;
      } finally {
        // Waits until the active faults are healed, even after an error.
        await Promise.allSettled(active);
      }
    },
    /** Until `until` aborts, restarts processes that ended by themselves and records each in `deaths`. */
    async watch(until: AbortSignal) {
      while (!until.aborted) {
        for (const part of stack.parts) {
          if (busy.has(part) || !part.hasDied()) continue;
          busy.add(part);
          deaths.push(`${part.name} (pid ${part.pid()}) ended by itself`);
          await part.stop();
          await part.start().finally(() => busy.delete(part));
        }
        await sleep(deathCheckMs, undefined, { signal: until }).catch(() => {});
      }
    },
  };
}
