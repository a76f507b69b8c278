import { openEvents } from './event-stream.ts';

/**
 * Loads a Holdfast with the calls of one key, in a process of its own, until it is killed. Arguments: the URL, the
 * secret and the kind of load. Prints `up` when the load is complete.
 */
const [url = '', secret = '', kind = ''] = process.argv.slice(2);
const headers = { authorization: `Bearer ${secret}` };
const times = (count: number) => Array.from({ length: count }, (_, index) => index);

async function call(method: string, path: string, body?: object): Promise<{ status: number; id?: string }> {
  const json = body && { 'content-type': 'application/json' };
  const init = { method, headers: { ...headers, ...json }, ...(body && { body: JSON.stringify(body) }) };
  const response = await fetch(`${url}${path}`, init);
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
  submissions: async () => repeat(700, () => call('POST', later)),
  'event streams': async () => {
    const [id] = await submit(1, later);
    for (const _ of times(500)) void openEvents(`${url}/tasks/${id}/events`, headers).catch(() => {});
  },
  'waiting clients': async () => {
    // At most 250 submissions of one key start at once.
    for (const _ of times(25)) {
      repeat(100, () => call('POST', `${later}&wait=60`));
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  },
  'queued tasks': async () => await submit(2_000, '/tasks/fetch-joke'),
  batches: async () => {
    for (const _ of times(10)) await call('POST', '/batches/fetch-joke', { count: 2_000 });
  },
};

await loads[kind]?.();
console.log('up');
