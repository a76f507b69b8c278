import { SetupError } from '../../cli/setup-error.ts';
import { createJokeApiClient, type JokeApiClient } from '../../local/joke-api/joke-api-client.ts';
import type { Config } from '../../src/config/config.ts';
import { parseId } from '../../src/contract.ts';
import { taskNames } from '../../src/tasks.ts';
import { createClient } from '../../src/temporal/connection.ts';
import { isNotFound } from '../../src/temporal/errors.ts';
import { toFault } from '../../src/temporal/fault.ts';
import { type Answer, type Capsule, capsuleSchema, countAttempts } from './capsule.ts';
import { toAnswerOf } from './expected-end.ts';
import { type Past, readHistory, readWorkflowType, toHistoryJson } from './read-history.ts';

type Options = { config: Config; jokeApi?: string | undefined; signal: AbortSignal };

/**
 * Reads a task from Temporal. Returns the task's capsule, and the number of the task's known attempts. Each answer in
 * the capsule comes from the joke API's ledger if the ledger has it, otherwise from the history.
 * @throws {SetupError} if `taskId` is not the id of a task, or Temporal or the joke API cannot be reached.
 */
export async function toCapsule(taskId: string, { config, jokeApi, signal }: Options) {
  const history = capsuleSchema.shape.history.parse(await fetchHistory(taskId, config));
  if (!(taskNames as string[]).includes(readWorkflowType(history)))
    throw new SetupError(`${taskId} is the id of a batch: give the id of a task, as GET /tasks lists them.`);
  const past = readHistory(history);
  const byAttempt = new Map(toHistoryAnswers(past).map((answer) => [answer.attempt, answer]));
  const client = jokeApi === undefined ? undefined : createJokeApiClient({ url: jokeApi, signal });
  for (const answer of client ? await readLedger(client, taskId, past) : []) byAttempt.set(answer.attempt, answer);
  const answers = [...byAttempt.values()].sort((a, b) => a.attempt - b.attempt);
  const capsule: Capsule = { version: 1, taskId, savedAt: new Date().toISOString(), history, answers };
  return { capsule, attempts: countAttempts(capsule, past) };
}

async function fetchHistory(taskId: string, config: Config): Promise<unknown> {
  if (parseId(taskId)?.kind === 'activity')
    throw new SetupError(`${taskId} is a standalone activity. Temporal keeps no history of those: docs/engines.md`);
  const client = createClient(config);
  const { address, namespace } = config.temporal;
  try {
    return toHistoryJson(await client.workflow.getHandle(taskId).fetchHistory());
  } catch (error) {
    if (isNotFound(error))
      throw new SetupError(
        `Temporal at ${address}, namespace ${namespace}, knows no task ${taskId}: GET /tasks lists the ids.`,
      );
    throw new SetupError(toFault(error, config.temporal));
  } finally {
    await client.connection.close();
  }
}

const toHistoryAnswers = ({ ends }: Past): Answer[] =>
  [...ends].flatMap(([attempt, end]) => {
    const answer = toAnswerOf(end);
    return answer ? [{ attempt, ...answer, source: 'history' as const }] : [];
  });

async function readLedger(client: JokeApiClient, taskId: string, { ends }: Past): Promise<Answer[]> {
  const { items } = await client.ledger({ taskKey: taskId });
  // After an operator's reset, the task begins again with attempt 1. The history has only the current run.
  const first = Math.max(
    0,
    items.findLastIndex(({ attempt }) => attempt === 1),
  );
  return await Promise.all(
    items
      .slice(first)
      .flatMap(({ attempt, status, outcome, jokeId }) =>
        attempt === null ? [] : [toLedgerAnswer({ attempt, status, outcome, source: 'ledger' }, jokeId)],
      ),
  );

  async function toLedgerAnswer(answer: Answer, id: string | null): Promise<Answer> {
    const value = id === null ? undefined : await client.joke(id);
    if (id === null || value === undefined) return answer;
    const end = ends.get(answer.attempt);
    const { url } = (end && 'output' in end ? end.output : {}) as { url?: string };
    // Only the history has the link that the worker got. It depends on the URL at which the worker called the upstream.
    return { ...answer, joke: { id, value, url: url ?? `${client.url}/jokes/${id}` } };
  }
}
