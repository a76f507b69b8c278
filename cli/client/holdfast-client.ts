import { request as send } from 'undici';
import type { Task, TaskList } from '../../src/api/views/schemas.ts';
import { createDispatcher, type Proxies } from '../../src/outbound/dispatcher.ts';
import type { TaskInput, TaskName } from '../../src/tasks.ts';
import { SetupError } from '../setup-error.ts';

type ProblemBody = { type?: string; title?: string; detail?: string; outcome?: string };

/** Thrown when the API answers with a problem. The message has the call, and the problem's status, title and detail. */
export class ApiProblem extends SetupError {
  override name = 'ApiProblem';
  readonly status: number;
  readonly problem: ProblemBody;
  constructor(call: string, status: number, problem: ProblemBody) {
    super(`${call}: ${status} ${problem.title ?? ''}${problem.detail ? ` (${problem.detail})` : ''}`);
    this.status = status;
    this.problem = problem;
  }
}

/**
 * Thrown when the API does not answer, or when a gateway answers in its place. If `isRefused` is true, the call started
 * nothing. Otherwise the call may have started something.
 */
export class NoAnswer extends SetupError {
  override name = 'NoAnswer';
  readonly isRefused: boolean;
  constructor(message: string, code = '') {
    super(message);
    this.isRefused = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN'].includes(code);
  }
}

type ListQuery = Partial<Record<'name' | 'status' | 'limit' | 'cursor', string>>;
type Options = {
  url: string;
  apiKey?: string | undefined;
  proxies?: Proxies;
  signal?: AbortSignal | undefined;
  /** How long one call may take. Holdfast itself needs at most 3 s. */
  timeoutMs?: number;
};

/**
 * Creates a client that calls a running Holdfast over HTTP. When `signal` aborts, every open call ends. There are no
 * retries, because measurements must see each failure. Exception: a GET on a stale connection is repeated on a new one.
 * @throws {SetupError} if `apiKey` has characters that are not allowed in an HTTP header.
 */
export function createHoldfastClient({ url, apiKey, proxies, signal, timeoutMs = 30_000 }: Options) {
  const dispatcher = createDispatcher(proxies);
  // Without this check, the error of undici would not say which variable is wrong.
  if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey))
    throw new SetupError('HOLDFAST_API_KEY has characters that are not allowed in a key. Set it to the secret only.');
  const authorization: Record<string, string> = apiKey ? { authorization: `Bearer ${apiKey}` } : {};

  /**
   * Sends one request. Returns the response and its body as text.
   * @throws {NoAnswer} if the server cannot be reached or does not answer in time.
   */
  async function request(method: 'GET' | 'POST', path: string, body: unknown) {
    const timeout = AbortSignal.timeout(timeoutMs);
    const ended = signal ? AbortSignal.any([signal, timeout]) : timeout;
    try {
      const { statusCode: status, body: answer } = await send(`${url}${path}`, {
        dispatcher,
        method,
        headers: { ...authorization, ...(body !== undefined && { 'content-type': 'application/json' }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: ended,
      });
      return { status, text: await answer.text() };
    } catch (error) {
      signal?.throwIfAborted();
      if (timeout.aborted) throw new NoAnswer(`${url} did not answer ${method} ${path} within ${timeoutMs / 1_000} s.`);
      const code = toCode(error);
      throw new NoAnswer(`${url} cannot be reached (${code}): is Holdfast running there? npm start runs one.`, code);
    }
  }

  /**
   * Calls the API and returns the JSON document of the answer.
   * @throws {ApiProblem} if the answer is a problem.
   * @throws {NoAnswer} if there is no answer, or if the answer is a 5xx without JSON.
   * @throws {SetupError} if the answer is not from Holdfast.
   */
  async function call<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
    const what = `${method} ${path}`;
    const { status, text } = await request(method, path, body);
    const answer = parseObject(text) as (T & ProblemBody) | undefined;
    if (!answer && status >= 500) throw new NoAnswer(`${url} answered ${what} with ${status}.`);
    if (!answer) throw new SetupError(`${url} did not answer ${what} with JSON: it is not Holdfast.`);
    if (status >= 300) throw new ApiProblem(what, status, answer);
    return answer;
  }

  const client = {
    url,
    call,
    submit: <N extends TaskName>(name: N, input?: TaskInput<N>) => call<Task>('POST', `/tasks/${name}`, input),
    read: (id: string) => call<Task>('GET', `/tasks/${encodeURIComponent(id)}`),
    cancel: (id: string) => call<Task>('POST', `/tasks/${encodeURIComponent(id)}/cancel`),
    rerun: (id: string) => call<Task>('POST', `/tasks/${encodeURIComponent(id)}/rerun`),
    list: (query: ListQuery = {}) => call<TaskList>('GET', `/tasks?${new URLSearchParams(query)}`),

    /** @throws {SetupError} if the server at the URL is not Holdfast. */
    async requireHoldfast(): Promise<void> {
      const notHoldfast = new SetupError(`${url} answers, but it is not Holdfast.`);
      const document = await call<{ info?: { title?: string } }>('GET', '/openapi.json').catch((error) => {
        // A problem from Holdfast itself is thrown unchanged, because it says what is wrong.
        const isForeign = error instanceof ApiProblem && !String(error.problem.type).startsWith('/problems/');
        throw isForeign ? notHoldfast : error;
      });
      if (document.info?.title !== 'Holdfast') throw notHoldfast;
    },
  };
  return client;
}

export type HoldfastClient = ReturnType<typeof createHoldfastClient>;

/** Returns the JSON object or array in `text`, or `undefined` if the text is anything else. */
function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the error's code from Node or undici, for example ECONNREFUSED, or its message if it has no code. */
const toCode = (error: unknown) => (error as NodeJS.ErrnoException).code ?? (error as Error).message;
