import type { Task } from '../../src/api/views/schemas.ts';
import { eventually, type Holdfast } from './holdfast.ts';

/** Returns a secret long enough for `API_KEYS`. It begins with its owner's name, so that failures show whose it is. */
export const toSecret = (owner: string) => `${owner}-`.padEnd(40, 'x');

/** Returns the calls of `startHoldfast`, made with an API key's secret. */
export function signIn(holdfast: Holdfast, secret: string) {
  const signed = {
    call: (method: string, path: string, init: Omit<RequestInit, 'method'> = {}) =>
      holdfast.call(method, path, {
        ...init,
        headers: { authorization: `Bearer ${secret}`, ...(init.headers as Record<string, string>) },
      }),
    async submit(input?: { category?: string }): Promise<Task> {
      const init = input && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(input) };
      const { status, body } = await signed.call('POST', '/tasks/fetch-joke', init);
      if (status !== 202) throw new Error(`POST /tasks/fetch-joke answered ${status}: ${JSON.stringify(body)}`);
      return body;
    },
    read: async (id: string): Promise<Task> => (await signed.call('GET', `/tasks/${id}`)).body,
    until: (id: string, holds: (task: Task) => boolean, timeoutMs = 30_000) =>
      eventually(() => signed.read(id), holds, timeoutMs),
  };
  return signed;
}

export type SignedIn = ReturnType<typeof signIn>;
