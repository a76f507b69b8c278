import type { Batch } from '../../../src/api/batches/batch-schemas.ts';
import type { Task } from '../../../src/api/views/schemas.ts';
import type { Operation, Seen } from '../types.ts';
import type { Recorder } from './recorder.ts';

/** Longer than the 3 s within which Holdfast answers. A request without an answer by then has an unknown outcome. */
const timeoutMs = 6_000;

export type Request = {
  action: Operation['action'];
  /** The index of the API. An index beyond the last API wraps around to the first. */
  api: number;
  method: 'GET' | 'POST';
  path: string;
  body?: unknown;
  key?: string;
  /** The id of the task or batch, if it is known before the request. */
  id?: string;
};

export type Answer = { type: 'ok' | 'fail' | 'info'; status?: number; seen?: Seen; id?: string };

type Options = { urls: string[]; recorder: Recorder; signal: AbortSignal };

/** Creates a client that records each request and its answer. The client never retries. `persist` does. */
export function createProvingClient({ urls, recorder, signal }: Options) {
  return async ({ action, api, method, path, body, key, id }: Request): Promise<Answer> => {
    signal.throwIfAborted();
    const end = recorder.invoke({ action, ...(key !== undefined && { key }), ...(id !== undefined && { id }) });
    try {
      const response = await fetch(`${urls[api % urls.length]}${path}`, {
        method,
        headers: {
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(key !== undefined && { 'idempotency-key': key }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      });
      const answer = (await response.json()) as Partial<Task & Batch> & { outcome?: string };
      const { status } = response;
      const seen = response.ok && answer.id ? toSeen(answer as Task & Batch) : undefined;
      const result: Answer = { type: toType(status, answer.outcome), status, ...(seen && { seen, id: seen.id }) };
      end({ ...result, isReplay: response.headers.get('idempotency-replayed') === 'true' });
      return result;
    } catch (error) {
      const { cause, name } = error as { cause?: { code?: string }; name: string };
      const code = cause?.code ?? name;
      // Of all these errors, only a refused connection proves that nothing was done.
      const result: Answer = { type: code === 'ECONNREFUSED' ? 'fail' : 'info' };
      end({ ...result, error: code });
      signal.throwIfAborted();
      return result;
    }
  };
}

export type ProvingClient = ReturnType<typeof createProvingClient>;

function toType(status: number, outcome: string | undefined): Answer['type'] {
  if (status < 300) return 'ok';
  if (status < 500 || outcome === 'not-started') return 'fail';
  return 'info';
}

function toSeen({ id, status, attempt, output, failure, finishedAt, rerunOf, ...batch }: Task & Batch): Seen {
  return {
    id,
    state: status,
    attempt: attempt ?? 0,
    ...(output && { output: output.id }),
    ...(failure && { reason: failure.reason, failureType: failure.type }),
    ...(finishedAt && { finishedAt }),
    ...(rerunOf && { rerunOf }),
    ...(batch.total !== undefined && {
      counts: {
        total: batch.total,
        completed: batch.completed,
        failed: batch.failed,
        cancelled: batch.cancelled,
        running: batch.running,
      },
    }),
    ...(batch.items && {
      items: batch.items.map(({ index, status, attempts, output, failure }) => ({
        id: `${id}/${index}`,
        state: status,
        attempt: attempts,
        ...(output && { output: output.id }),
        ...(failure && { reason: failure.reason, failureType: failure.type }),
      })),
    }),
  };
}
