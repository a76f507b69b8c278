import type { Task } from '../../src/api/views/schemas.ts';

export type TaskEvent = { event: string; id: string; task: Task };

/** Reads server-sent events like an EventSource, and also keeps status, headers, `retry` and the count of comments. */
export async function openEvents(url: string, headers: Record<string, string> = {}) {
  const leaving = new AbortController();
  const response = await fetch(url, { headers, signal: leaving.signal });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const stream = { status: response.status, headers: response.headers, comments: 0, retry: '', next, rest, leave };
  let unread = '';

  /** Returns the next event, or undefined once the server has ended the stream. */
  async function next(): Promise<TaskEvent | undefined> {
    for (;;) {
      const end = unread.indexOf('\n\n');
      if (end < 0) {
        const { done, value } = (await reader?.read()) ?? { done: true };
        if (done) return undefined;
        unread += value;
        continue;
      }
      const lines = unread.slice(0, end).split('\n');
      unread = unread.slice(end + 2);
      const fields = new Map(lines.map((line) => line.split(/: ?(.*)/).slice(0, 2) as [string, string]));
      if (fields.has('')) stream.comments += 1;
      stream.retry = fields.get('retry') ?? stream.retry;
      const data = fields.get('data');
      if (data) return { event: fields.get('event') ?? '', id: fields.get('id') ?? '', task: JSON.parse(data) };
    }
  }

  async function rest(): Promise<TaskEvent[]> {
    const events: TaskEvent[] = [];
    for (let event = await next(); event; event = await next()) events.push(event);
    return events;
  }

  function leave() {
    leaving.abort();
  }
  return stream;
}
