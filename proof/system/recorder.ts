import type { LedgerEntry } from '../../local/joke-api/ledger.ts';
import type { Task } from '../../src/api/views/schemas.ts';
import { toCallsByTask } from './calls.ts';
import type { FinishedTask, MemorySample, Submission } from './result.ts';

/** Collects all figures of a run. Their time axis begins with this call. */
export function createRecorder() {
  const startedAt = Date.now();
  const sinceStart = (epochMs: number) => epochMs - startedAt;
  const submissions: Submission[] = [];
  const tasks: FinishedTask[] = [];
  const memory: MemorySample[] = [];
  return {
    submissions,
    tasks,
    memory,
    submission: (check: string, sentAt: number, latencyMs: number, status: number) =>
      submissions.push({ check, atMs: sinceStart(sentAt), latencyMs, status }),
    sample: (sample: Omit<MemorySample, 'atMs'>) => memory.push({ atMs: sinceStart(Date.now()), ...sample }),
    /** Records finished tasks with their upstream calls. */
    finished(check: string, finished: Task[], ledger: LedgerEntry[]) {
      const calls = toCallsByTask(ledger);
      for (const { id, status, submittedAt, finishedAt } of finished) {
        tasks.push({
          id,
          check,
          status: status as FinishedTask['status'],
          submittedAtMs: sinceStart(Date.parse(submittedAt)),
          finishedAtMs: sinceStart(Date.parse(finishedAt ?? '')),
          attempts: (calls.get(id) ?? []).map(({ attempt, startedAt: from, endedAt: to, status: answer, outcome }) => ({
            attempt: attempt ?? 0,
            startedAtMs: sinceStart(from),
            endedAtMs: to === null ? null : sinceStart(to),
            status: answer,
            outcome,
          })),
        });
      }
    },
  };
}

export type Recorder = ReturnType<typeof createRecorder>;
