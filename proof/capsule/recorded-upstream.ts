import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Answer as HttpAnswer, toAnswer } from '../../local/joke-api/answer.ts';
import type { Behaviour } from '../../local/joke-api/behaviour.ts';
import { send } from '../../local/joke-api/send.ts';
import type { Answer } from './capsule.ts';
import type { End } from './read-history.ts';

const badBodies = new Map<string, NonNullable<Behaviour['body']>>([
  ['InvalidResponse', 'text'],
  ['ResponseTooLarge', 'huge'],
]);

/**
 * Returns the behaviour with which the joke API repeats an answer. `end` is the attempt's end in the history. It is
 * needed because only the history says what was wrong with the body of a 200.
 */
function toBehaviour({ status, outcome, joke }: Answer, end: End | undefined): Behaviour {
  const own = status === null ? {} : { status };
  // After a status other than 200, the activity does not read the body, so how the body ends does not matter.
  if (status !== null && status !== 200) return own;
  const badBody = end && 'type' in end ? badBodies.get(end.type) : undefined;
  const started = status === 200;
  if (badBody === 'huge') return { status: 200, body: badBody };
  if (['hung', 'client-gone', 'open'].includes(outcome)) return { ...own, hang: started ? 'body' : 'headers' };
  if (outcome === 'cut-short') return { ...own, cutShort: true };
  if (outcome !== 'answered' || !started) return { ...own, reset: started ? 'mid-body' : 'before-headers' };
  return joke ? own : { status: 200, body: badBody ?? 'truncated-json' };
}

function toHttpAnswer(behaviour: Behaviour, { joke }: Answer): HttpAnswer {
  const question = { method: 'GET', path: '/jokes/random', category: null, query: null, origin: 'http://127.0.0.1' };
  if (!joke) return toAnswer(behaviour, question, () => true);
  return { status: 200, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(joke)) };
}

/** Runs `work` with the URL of an upstream on loopback that repeats the recorded answer to every request. */
export async function withRecordedUpstream<T>(
  answer: Answer,
  end: End | undefined,
  work: (url: string) => Promise<T>,
): Promise<T> {
  const behaviour = toBehaviour(answer, end);
  const server = createServer((_request, response) => {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    send(response, toHttpAnswer(behaviour, answer), behaviour, { status() {}, ends() {} }, gone.signal).catch(() =>
      response.destroy(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}
