import { setTimeout as sleep } from 'node:timers/promises';
import type { Task, TaskSummary } from '../../src/api/schemas.ts';
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

export type TaskPage = { items: TaskSummary[]; nextCursor: string | null };
type Options = { url: string; apiKey?: string | undefined; signal?: AbortSignal | undefined };

const isFinished = ({ finishedAt }: Task) => finishedAt !== undefined;

/** How often an open task is looked at. */
const pollMs = 250;

/** Calls of a running Holdfast over HTTP; every one ends with `signal`. No retries: who measures must see each failure. */
export function createHoldfastClient({ url, apiKey, signal }: Options) {
  const authorization: Record<string, string> = apiKey ? { authorization: `Bearer ${apiKey}` } : {};

  /** @throws {ApiProblem} for an answer that is no success, {SetupError} when there is none, or none of Holdfast's. */
  async function call<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
    const what = `${method} ${path}`;
    let response: Response;
    try {
      response = await fetch(`${url}${path}`, {
        method,
        headers: { ...authorization, ...(body !== undefined && { 'content-type': 'application/json' }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        ...(signal && { signal }),
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw new SetupError(
        `${url} cannot be reached (${toCode(error)}): is Holdfast running there? npm start runs one.`,
      );
    }
    const answer = (await response.json().catch(() => undefined)) as T & ProblemBody;
    if (typeof answer !== 'object') throw new SetupError(`${url} answers no JSON to ${what}: it is not Holdfast.`);
    if (!response.ok) throw new ApiProblem(what, response.status, answer);
    return answer;
  }

  const client = {
    url,
    call,
    submit: <N extends TaskName>(name: N, input?: TaskInput<N>) => call<Task>('POST', `/tasks/${name}`, input),
    read: (id: string) => call<Task>('GET', `/tasks/${encodeURIComponent(id)}`),
    cancel: (id: string) => call<Task>('POST', `/tasks/${encodeURIComponent(id)}/cancel`),
    /** A page of the list; `query` as the API names its parameters. */
    list: (query: Record<string, string> = {}) => call<TaskPage>('GET', `/tasks?${new URLSearchParams(query)}`),

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
      const document = await call<{ info?: { title?: string } }>('GET', '/openapi.json').catch((error) => {
        throw error instanceof ApiProblem ? new SetupError(`${url} answers, but it is not Holdfast.`) : error;
      });
      if (document.info?.title !== 'Holdfast') throw new SetupError(`${url} answers, but it is not Holdfast.`);
    },
  };
  return client;
}

export type HoldfastClient = ReturnType<typeof createHoldfastClient>;

/** Node's and undici's codes name the cause (ECONNREFUSED) without a stack. */
function toCode(error: unknown): string {
  const { cause, message } = error as { cause?: { code?: string; message?: string }; message: string };
  return cause?.code ?? cause?.message ?? message;
}
