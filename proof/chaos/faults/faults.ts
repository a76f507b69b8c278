import { setTimeout as sleep } from 'node:timers/promises';
import { nowMs } from '../../../cli/measurement.ts';
import type { Part } from '../stack/part.ts';
import type { Mode, TcpProxy } from '../stack/proxy.ts';
import type { ProvedStack } from '../stack/stack.ts';
import type { FaultRecord, PlannedFault } from '../types.ts';
import { toStorm } from './upstream-rules.ts';

type Seen = { target: string; verified: boolean; seen: string };
type Begin = () => void;

/** A fault that has not met anything yet lasts so much longer at most. */
const patienceMs = 4_000;
/** More at once would be a test of waiting. */
const mostAtOnce = 3;
const deathLookMs = 250;
const busyCalls = 3;

/** Does the faults of a plan to a stack, each with a look at whether it had its effect, and heals each again. */
export function createFaults(stack: ProvedStack, signal: AbortSignal) {
  const busy = new Set<object>();
  const deaths: string[] = [];

  /** The one that is picked, or the next that nothing else is being done to; waits while there is none. */
  async function take<T extends object>(candidates: T[], pick: number): Promise<T> {
    const first = Math.floor(pick * candidates.length);
    for (;;) {
      const ordered = [...candidates.slice(first), ...candidates.slice(0, first)];
      const free = ordered.find((candidate) => !busy.has(candidate));
      if (free) {
        busy.add(free);
        return free;
      }
      await sleep(20, undefined, { signal });
    }
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
        return { target: part.name, verified: seen.verified && wentOn, seen: `${seen.seen}, later it went on` };
      }),
    deploy: (planned, role, begin) =>
      withPart(planned, role, begin, async (part) => {
        const seen = await part.end();
        await part.start();
        return { target: part.name, ...seen };
      }),
    upstream: async (planned) => {
      const id = await stack.jokeApi.addRule(toStorm(planned.kind, planned.number));
      const toApplied = async () => (await stack.jokeApi.rules()).find((rule) => rule.id === id)?.applied ?? 0;
      await lastUntilEffect(planned, async () => (await toApplied()) > 0);
      const applied = await toApplied();
      await stack.jokeApi.removeRule(id);
      return { target: 'joke-api', verified: applied > 0, seen: `${applied} calls were answered so` };
    },
    delay: (planned, link, begin) =>
      disturb(planned, link, begin, { kind: 'delay', ms: Math.round(100 + planned.pick * 400) }),
    cut: (planned, link, begin) => disturb(planned, link, begin, { kind: 'cut' }),
    drop: (planned, link, begin) => disturb(planned, link, begin, { kind: 'drop' }),
  };

  /** A worker that holds nothing has nothing to recover: one of three holds some of so many calls, most likely. */
  async function untilBusy() {
    const deadline = nowMs() + patienceMs / 2;
    // Of the ledger only what is open at this moment.
    const toOpen = async () => (await stack.jokeApi.ledger({ after: '999999999999999' })).inFlight;
    while (!signal.aborted && nowMs() < deadline && (await toOpen()) < busyCalls) await sleep(50);
  }

  async function lastUntilEffect({ durationMs }: PlannedFault, hasEffect: () => boolean | Promise<boolean>) {
    await sleep(durationMs, undefined, { signal }).catch(() => {});
    const deadline = nowMs() + patienceMs;
    while (!signal.aborted && nowMs() < deadline && !(await hasEffect())) await sleep(100);
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
    const what = { delay: 'pieces were late', cut: 'connections were cut', drop: 'answers vanished', pass: '' }[
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
    /** Does one after the other, or the next before the end of one where the plan says so, until all are done or `deadline` has come. */
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
        // Also when it is broken off: what is being healed shall be.
        await Promise.allSettled(active);
      }
    },
    /** Starts again what ends although nobody ended it, and remembers that it did. */
    async watch(until: AbortSignal) {
      while (!until.aborted) {
        for (const part of stack.parts) {
          if (busy.has(part) || !part.hasDied()) continue;
          busy.add(part);
          deaths.push(`${part.name} (pid ${part.pid()}) ended by itself`);
          await part.stop();
          await part.start().finally(() => busy.delete(part));
        }
        await sleep(deathLookMs, undefined, { signal: until }).catch(() => {});
      }
    },
  };
}
