import { setTimeout as sleep } from 'node:timers/promises';
import type { ProvingClient } from './client.ts';
import type { ClientPlan } from './client-plans.ts';
import { type Accepted, persist, runClient, toRead } from './run-client.ts';

type Options = {
  client: ProvingClient;
  /** Aborts when clients give up waiting. */
  over: AbortSignal;
  signal: AbortSignal;
};

const readersAtOnce = 12;
const readIntervalMs = 500;

/**
 * Starts the clients one after the other, spread over the time left for faults. Resolves with all accepted tasks and
 * batches when every client is done.
 */
export async function runLoad(
  plans: ClientPlan[],
  { client, over, signal, leftMs }: Options & { leftMs: () => number },
): Promise<Accepted[]> {
  const all: Accepted[] = [];
  const running: Promise<void>[] = [];
  for (const [index, plan] of plans.entries()) {
    const done = runClient(plan, { client, over, accept: (accepted) => void all.push(accepted) });
    // If `sleep` below is aborted, `Promise.all` is never reached. A rejection of `done` would then be unhandled.
    done.catch(() => {});
    running.push(done);
    await sleep(Math.max(1, leftMs() / (plans.length - index)), undefined, { signal });
  }
  await Promise.all(running);
  return all;
}

/** Reads each task or batch until it has ended, then once more at another API. Returns early once `over` aborts. */
export async function readToTheEnd(
  all: Accepted[],
  { client, over, onEnd }: Options & { onEnd: (ended: number) => void },
) {
  let ended = 0;
  const pass = async (api: number, onEach: () => void) => {
    const queue = all.entries();
    await Promise.all(
      Array.from({ length: readersAtOnce }, async () => {
        for (const [index, accepted] of queue) {
          if (over.aborted) return;
          // A 404 already breaks the invariant `read-your-write`, so there is no need to read on.
          await persist(
            { client, over },
            toRead(accepted, index + api),
            ({ status, seen }) => seen?.finishedAt !== undefined || status === 404,
            readIntervalMs,
          );
          onEach();
        }
      }),
    );
  };
  await pass(0, () => onEnd(++ended));
  await pass(1, () => {});
}
