import { setTimeout as sleep } from 'node:timers/promises';
import { nowMs } from '../../../cli/measurement.ts';
import { holdsSoon, until } from '../../../cli/until.ts';
import type { Mode } from '../stack/proxy.ts';
import type { ProvedStack } from '../stack/stack.ts';
import type { FaultRecord, Link, PlannedFault, Role } from '../types.ts';
import { toFaultRule } from './upstream-rules.ts';

type Seen = { target: string; verified: boolean; seen: string };
type Begin = () => void;

/** A fault that has not affected anything yet is extended by up to this long. */
const patienceMs = 4_000;
const busyCalls = 3;
const effects = { delay: 'chunks were late', cut: 'connections were cut', drop: 'answers were dropped', pass: '' };

/**
 * Creates a function that injects a planned fault, verifies its effect and heals it. `busy` contains the processes and
 * proxies that have a fault.
 */
export function createInjector(stack: ProvedStack, busy: Set<object>, signal: AbortSignal) {
  /**
   * Runs `work` with the candidate that `pick` selects or, if that has a fault, with the next candidate that has none.
   * Waits while all candidates have a fault.
   */
  async function withFree<T extends object>(
    candidates: T[],
    { pick }: PlannedFault,
    begin: Begin,
    work: (free: T) => Promise<Seen>,
  ): Promise<Seen> {
    const first = Math.floor(pick * candidates.length);
    const ordered = [...candidates.slice(first), ...candidates.slice(0, first)];
    // Marks the candidate as busy in the same tick, so that no other fault takes it.
    const takeFree = () => {
      const free = ordered.find((candidate) => !busy.has(candidate));
      if (free) busy.add(free);
      return free;
    };
    const free = (await until(takeFree, { everyMs: 20, signal })) as T;
    begin();
    try {
      return await work(free);
    } finally {
      busy.delete(free);
    }
  }

  const families: Record<string, (planned: PlannedFault, where: string, begin: Begin) => Promise<Seen>> = {
    kill: (planned, role, begin) =>
      withFree(stack.byRole[role as Role], planned, begin, async (part) => {
        if (role === 'worker') await untilBusy();
        begin();
        const seen = await part.kill();
        await sleep(planned.durationMs);
        await part.start();
        return { target: part.name, ...seen };
      }),
    stop: (planned, role, begin) =>
      withFree(stack.byRole[role as Role], planned, begin, async (part) => {
        const seen = await part.pause();
        await sleep(planned.durationMs, undefined, { signal }).catch(() => {});
        const wentOn = await part.resume();
        return { target: part.name, verified: seen.verified && wentOn, seen: `${seen.seen}, later it continued` };
      }),
    deploy: (planned, role, begin) =>
      withFree(stack.byRole[role as Role], planned, begin, async (part) => {
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
   * Waits for open upstream calls, because the kill of an idle worker leaves nothing to recover. With `busyCalls` open
   * calls, each worker most likely has one of them.
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

  const disturb = (planned: PlannedFault, link: string, begin: Begin, mode: Mode) =>
    withFree(stack.proxies[link as Link], planned, begin, async (proxy) => {
      proxy.set(mode);
      await lastUntilEffect(planned, () => proxy.affected() > 0);
      const affected = proxy.set({ kind: 'pass' });
      return { target: `${link}:${proxy.port}`, verified: affected > 0, seen: `${affected} ${effects[mode.kind]}` };
    });

  return async (planned: PlannedFault): Promise<FaultRecord> => {
    const [family = '', where = ''] = planned.kind.split('-');
    let startedAt = nowMs();
    const seen = await families[family]?.(planned, where, () => {
      startedAt = nowMs();
    });
    if (!seen) throw new Error(`No such fault: ${planned.kind}`);
    return { ...planned, ...seen, startedAt, endedAt: nowMs() };
  };
}
