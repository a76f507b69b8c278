import { setTimeout as sleep } from 'node:timers/promises';
import type { ProvingClient } from './client.ts';
import type { Story } from './client-plans.ts';
import { type Accepted, persist, tell, toReadPath } from './run-client.ts';

type Options = {
  client: ProvingClient;
  /** Aborted when waiting has no more sense. */
  over: AbortSignal;
  signal: AbortSignal;
};

const readersAtOnce = 12;
const lookMs = 500;

/** Tells all stories, spread over the time that is left of the faults; gives what was accepted when each is told. */
export async function runLoad(
  stories: Story[],
  { client, over, signal, leftMs }: Options & { leftMs: () => number },
): Promise<Accepted[]> {
  const all: Accepted[] = [];
  const running: Promise<void>[] = [];
  for (const [index, story] of stories.entries()) {
    const told = tell(story, { client, over, accept: (accepted) => void all.push(accepted) });
    // Broken off before the last is under way, nobody waits for it yet.
    told.catch(() => {});
    running.push(told);
    await sleep(Math.max(1, leftMs() / (stories.length - index)), undefined, { signal });
  }
  await Promise.all(running);
  return all;
}

/** Reads each until it has ended, and then once more at another API; resolves early when it is over. */
export async function readToTheEnd(
  all: Accepted[],
  { client, over, onEnd }: Options & { onEnd: (ended: number) => void },
) {
  let ended = 0;
  const read = async (accepted: Accepted, api: number) => {
    const action = accepted.isBatch ? ('read-batch' as const) : ('read' as const);
    const request = { action, api, method: 'GET' as const, path: toReadPath(accepted), id: accepted.id };
    // A read that says 404 says enough.
    return persist(
      { client, over },
      request,
      ({ status, seen }) => seen?.finishedAt !== undefined || status === 404,
      lookMs,
    );
  };
  const pass = async (api: number, onEach: () => void) => {
    const queue = all.entries();
    await Promise.all(
      Array.from({ length: readersAtOnce }, async () => {
        for (const [index, accepted] of queue) {
          if (over.aborted) return;
          await read(accepted, index + api);
          onEach();
        }
      }),
    );
  };
  await pass(0, () => onEnd(++ended));
  await pass(1, () => {});
}
