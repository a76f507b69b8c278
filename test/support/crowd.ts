import { randomUUID } from 'node:crypto';
import { openEvents } from './event-stream.ts';

/**
 * Loads a Holdfast with the calls of one key, in a process of its own, until it is killed. Arguments: the URL, the
 * secret and the kind of load. Prints `up` when the load is complete.
 */
const [url = '', secret = '', kind = ''] = process.argv.slice(2);
const headers = { authorization: `Bearer ${secret}` };
const times = (count: number) => Array.from({ length: count }, (_, index) => index);

type Sent = { key?: string; body?: object };

async function call(method: string, path: string, { key, body }: Sent = {}): Promise<{ status: number; id?: string }> {
  const keyHeader = key && { 'idempotency-key': key };
  const jsonHeader = body && { 'content-type': 'application/json' };
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { ...headers, ...keyHeader, ...jsonHeader },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, ...(response.status === 202 && { id: JSON.parse(text).id }) };
}

/** Repeats `work` for ever, `count` times in parallel. */
const repeat = (count: number, work: () => Promise<unknown>) => {
  for (const _ of times(count))
    void (async () => {
      for (;;) await work().catch(() => {});
    })();
};

/** Submits until `count` tasks are accepted, 50 at once. Returns their ids. */
async function submit(count: number, path: string): Promise<string[]> {
  const ids: string[] = [];
  const submitOnes = async () => {
    while (ids.length < count) {
      const { id } = await call('POST', path);
      if (id) ids.push(id);
    }
  };
  await Promise.all(times(50).map(submitOnes));
  return ids;
}

const later = '/tasks/fetch-joke?delay=3600';
const loads: Record<string, () => Promise<unknown>> = {
  'lists that read each task': async () => {
    await submit(300, later);
    repeat(50, () => call('GET', '/tasks?status=cancelling&limit=1000'));
  },
  submissions: async () => {
    // The first answers of a process that has just started take long. They say nothing about the shares of owners.
    let answers = 0;
    await new Promise<void>((resolve) => {
      repeat(700, async () => {
        await call('POST', later);
        answers += 1;
        if (answers === 3_000) resolve();
      });
    });
  },
  'event streams': async () => {
    const [id] = await submit(1, later);
    await Promise.allSettled(times(500).map(() => openEvents(`${url}/tasks/${id}/events`, headers)));
  },
  'waiting clients': async () => {
    let left = 2_500;
    // The first call starts the task, and the next calls wait for the same task.
    const sendOnes = async () => {
      while (left-- > 0) {
        const key = randomUUID();
        while ((await call('POST', later, { key })).status !== 202);
        repeat(1, () => call('POST', `${later}&wait=60`, { key }));
      }
    };
    await Promise.all(times(50).map(sendOnes));
  },
  'queued tasks': async () => await submit(2_000, '/tasks/fetch-joke'),
  batches: async () => {
    for (const _ of times(10)) await call('POST', '/batches/fetch-joke', { body: { count: 2_000 } });
  },
};

await loads[kind]?.();
console.log('up');
