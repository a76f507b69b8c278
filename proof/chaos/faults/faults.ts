import { setTimeout as sleep } from 'node:timers/promises';
import { nowMs } from '../../../cli/measurement.ts';
import type { ProvedStack } from '../stack/stack.ts';
import type { FaultRecord, PlannedFault } from '../types.ts';
import { createInjector } from './injector.ts';

/** The maximum number of faults at once. With more, most tasks would only wait. */
const mostAtOnce = 3;
const deathCheckMs = 250;

/** Creates functions that inject the faults of a plan into a stack, verify the effect of each fault and heal it. */
export function createFaults(stack: ProvedStack, signal: AbortSignal) {
  const busy = new Set<object>();
  const inject = createInjector(stack, busy, signal);
  const deaths: string[] = [];

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
