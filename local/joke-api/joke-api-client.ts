import { request } from 'undici';
import { toBaseUrl } from '../../cli/client/target.ts';
import { SetupError } from '../../cli/setup-error.ts';
import { direct } from '../../src/outbound/dispatcher.ts';
import type { LedgerEntry } from './ledger.ts';
import type { Rule, RuleInput } from './rules.ts';

export type LedgerPage = { items: LedgerEntry[]; inFlight: number; maxInFlight: number };
type Options = { url: string; signal?: AbortSignal | undefined };

/** The time limit of a call. It is long enough to read a ledger of many thousands of requests. */
const timeoutMs = 30_000;

/**
 * Creates a client that scripts a running joke API and reads its ledger over HTTP (docs/joke-api.md).
 * @throws {SetupError} for an invalid URL.
 */
export function createJokeApiClient({ url: given, signal }: Options) {
  const url = toBaseUrl(given, 'a joke API');

  /** @throws {SetupError} if no joke API answers at the URL. */
  async function call<T>(method: string, path: string, body?: unknown, ended = signal ?? null): Promise<T> {
    let response: Awaited<ReturnType<typeof request>>;
    try {
      response = await request(`${url}${path}`, {
        dispatcher: direct,
        method: method as 'GET',
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(ended ? [ended] : [])]),
      });
    } catch {
      ended?.throwIfAborted();
      throw new SetupError(`The joke API at ${url} cannot be reached: npm run joke-api runs one.`);
    }
    const answer = response.statusCode === 204 ? {} : await response.body.json().catch(() => undefined);
    if (response.statusCode >= 300 || answer === undefined)
      throw new SetupError(`${url} answers ${response.statusCode} to ${method} ${path}: it is not the joke API.`);
    return answer as T;
  }

  // `signal` does not abort these two calls: an aborted call could leave a rule in the joke API for good.
  const addRule = async (rule: RuleInput) => (await call<{ id: string }>('POST', '/admin/rules', rule, null)).id;
  const removeRule = (id: string) => call<object>('DELETE', `/admin/rules/${id}`, undefined, null);

  return {
    url,
    /** Adds a rule and returns its id. A category that the rule names exists until the rule is removed. */
    addRule,
    removeRule,
    /** Returns the current rules. `applied` is the number of requests that the rule decided. */
    rules: async () => (await call<{ items: (Rule & { applied: number })[] }>('GET', '/admin/rules')).items,
    /** Adds the rules, runs `work` and removes the rules, even after an error or Ctrl-C. */
    async withRules<T>(rules: RuleInput[], work: () => Promise<T>): Promise<T> {
      const ids: string[] = [];
      try {
        for (const rule of rules) ids.push(await addRule(rule));
        signal?.throwIfAborted();
        return await work();
      } finally {
        await Promise.all(ids.map(removeRule));
      }
    },
    /** Returns the ledger's counts and its entries, oldest first. `after` leaves out the entries up to that `seq`. */
    ledger: (filter: { taskKey?: string; category?: string; after?: string } = {}) =>
      call<LedgerPage>('GET', `/admin/ledger?${new URLSearchParams(filter)}`),
    /** Returns the text of the joke with that id, or undefined if the joke cannot be read. */
    joke: (id: string) =>
      call<{ value: string }>('GET', `/jokes/${encodeURIComponent(id)}`).then(
        ({ value }) => value,
        () => undefined,
      ),
    /** @throws {SetupError} if no joke API answers at the URL. */
    requireJokeApi: () => call<{ status: 'ok' }>('GET', '/admin/health'),
  };
}

export type JokeApiClient = ReturnType<typeof createJokeApiClient>;
