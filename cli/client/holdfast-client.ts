import { setTimeout as sleep } from 'node:timers/promises';
import type { Task, TaskList } from '../../src/api/views/schemas.ts';
import type { TaskInput, TaskName } from '../../src/tasks.ts';
import { SetupError } from '../setup-error.ts';

type ProblemBody = { type?: string; title?: string; detail?: string; outcome?: string };

/** An answer of the API that is not a success: its problem document in one line. */
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

/** No answer of the API came, or a gateway's in its place. Only where the connection was refused is it sure that nothing was started. */
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
  signal?: AbortSignal | undefined;
  /** How long one call may take: by default far longer than the 3 s that Holdfast takes at worst. */
  timeoutMs?: number;
};

const isFinished = ({ finishedAt }: Task) => finishedAt !== undefined;

/** How often an open task is looked at. */
const pollMs = 250;

/**
 * Calls of a running Holdfast over HTTP; every one ends with `signal`. No retries: who measures must see each failure.
 * @throws {SetupError} for a key that no HTTP header can carry.
 */
export function createHoldfastClient({ url, apiKey, signal, timeoutMs = 30_000 }: Options) {
  // fetch would name the whole key in its own message.
  if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey))
    throw new SetupError('HOLDFAST_API_KEY holds characters that no key has: give it the secret alone.');
  const authorization: Record<string, string> = apiKey ? { authorization: `Bearer ${apiKey}` } : {};

  /** @throws {NoAnswer} when none comes. */
  async function answerOf(method: 'GET' | 'POST', path: string, body: unknown) {
    const timeout = AbortSignal.timeout(timeoutMs);
    const ended = signal ? AbortSignal.any([signal, timeout]) : timeout;
    try {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: { ...authorization, ...(body !== undefined && { 'content-type': 'application/json' }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: ended,
      });
      return { response, text: await response.text() };
    } catch (error) {
      signal?.throwIfAborted();
      if (timeout.aborted)
        throw new NoAnswer(`${url} has not answered ${method} ${path} within ${timeoutMs / 1_000} s.`);
      const code = toCode(error);
      throw new NoAnswer(`${url} cannot be reached (${code}): is Holdfast running there? npm start runs one.`, code);
    }
  }

  /** @throws {ApiProblem} for an answer that is no success, {SetupError} when there is none, or none of Holdfast's. */
  async function call<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
    const what = `${method} ${path}`;
    const { response, text } = await answerOf(method, path, body);
    const answer = parseObject(text) as (T & ProblemBody) | undefined;
    if (!answer && response.status >= 500) throw new NoAnswer(`${url} answers ${response.status} to ${what}.`);
    if (!answer) throw new SetupError(`${url} answers no JSON to ${what}: it is not Holdfast.`);
    if (!response.ok) throw new ApiProblem(what, response.status, answer);
    return answer;
  }

  const client = {
    url,
    call,
    submit: <N extends TaskName>(name: N, input?: TaskInput<N>) => call<Task>('POST', `/tasks/${name}`, input),
    read: (id: string) => call<Task>('GET', `/tasks/${encodeURIComponent(id)}`),
    cancel: (id: string) => call<Task>('POST', `/tasks/${encodeURIComponent(id)}/cancel`),
    rerun: (id: string) => call<Task>('POST', `/tasks/${encodeURIComponent(id)}/rerun`),
    /** A page of the list; `query` as the API names its parameters. */
    list: (query: ListQuery = {}) => call<TaskList>('GET', `/tasks?${new URLSearchParams(query)}`),

    /** The task at its end; `onChange` sees it whenever status or attempt differ from what was seen before. */
    async untilFinished(id: string, onChange: (task: Task) => void = () => {}): Promise<Task> {
      let seen = '';
      for (;;) {
        const task = await client.read(id);
        const state = `${task.status} ${task.attempt}`;
        if (state !== seen) onChange(task);
        seen = state;
        if (isFinished(task)) return task;
        await sleep(pollMs, undefined, { signal });
      }
    },

    /** @throws {SetupError} when what answers at the URL is not Holdfast. */
    async requireHoldfast(): Promise<void> {
      const isOther = new SetupError(`${url} answers, but it is not Holdfast.`);
      const document = await call<{ info?: { title?: string } }>('GET', '/openapi.json').catch((error) => {
        // Its own problems say better what is wrong.
        const isForeign = error instanceof ApiProblem && !String(error.problem.type).startsWith('/problems/');
        throw isForeign ? isOther : error;
      });
      if (document.info?.title !== 'Holdfast') throw isOther;
    },
  };
  return client;
}

export type HoldfastClient = ReturnType<typeof createHoldfastClient>;

/** Undefined for what is no JSON object. */
function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Node's and undici's codes name the cause (ECONNREFUSED) without a stack. */
function toCode(error: unknown): string {
  const { cause, message } = error as { cause?: { code?: string; message?: string }; message: string };
  return cause?.code ?? cause?.message ?? message;
}
