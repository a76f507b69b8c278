import type { Case } from './join.ts';
import type { TimelineLine } from './result.ts';

/** The maximum number of lines of a timeline. */
const longest = 120;

/** Returns all that the three records and the faults say about one task, item, batch or key, in order of time. */
export function toTimeline(
  { startedAt, ended, works, executionsById, faults, accepted, callsByKey }: Case,
  id: string,
): TimelineLine[] {
  const whole = works.get(id)?.batchId ?? id.split('/')[0] ?? id;
  const seconds = (at: number) => (at - startedAt) / 1_000;
  const key = accepted.get(whole)?.key ?? id;
  const lines: TimelineLine[] = ended
    .filter(({ end }) => end.id === whole || end.key === key)
    .map(({ end, invokedAt }) => {
      const item = end.seen?.items?.find((one) => one.id === id) ?? end.seen;
      const state = item ? ` ${item.state}, attempt ${item.attempt}${item.output ? `, ${item.output}` : ''}` : '';
      const what = `${end.action}: ${end.type} ${end.status ?? end.error ?? ''}${end.isReplay ? ' (replayed)' : ''}`;
      return {
        at: seconds(end.at),
        from: 'client',
        text: `${what}${state}, sent ${Math.round(end.at - invokedAt)} ms earlier`,
      };
    });
  for (const { startedAt: at, endedAt, attempt, status, outcome, jokeId } of callsByKey.get(id) ?? [])
    lines.push({
      at: seconds(at),
      from: 'upstream',
      text: `attempt ${attempt}: ${status ?? 'no status'}, ${outcome}${endedAt ? ` after ${Math.round(endedAt - at)} ms` : ''}${jokeId ? `, ${jokeId}` : ''}`,
    });
  for (const execution of executionsById.get(whole) ?? []) {
    lines.push({ at: seconds(execution.startedAt), from: 'temporal', text: `${execution.type} started` });
    if (execution.cancelRequestedAt)
      lines.push({ at: seconds(execution.cancelRequestedAt), from: 'temporal', text: 'cancellation requested' });
    const attempts = execution.activities.map((one) => `${one.id}: attempt ${one.attempt} ${one.end}`).join(', ');
    if (execution.closedAt)
      lines.push({ at: seconds(execution.closedAt), from: 'temporal', text: `${execution.status} (${attempts})` });
  }
  // Lists only faults near the lifetime of the task. Reads do not extend that lifetime, because clients read the task
  // again long after its end.
  const times = lines.filter(({ from }) => from !== 'client').map(({ at }) => at);
  const [from, to] = [Math.min(...times) - 4, Math.max(...times) + 2];
  for (const { kind, target, startedAt: begin, endedAt, seen } of faults)
    if (seconds(endedAt) >= from && seconds(begin) <= to)
      lines.push({
        at: seconds(begin),
        from: 'fault',
        text: `${kind} ${target} until ${seconds(endedAt).toFixed(2)} s: ${seen}`,
      });
  return lines.sort((a, b) => a.at - b.at).slice(0, longest);
}
