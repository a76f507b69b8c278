import { STATUS_CODES } from 'node:http';
import { gzipSync } from 'node:zlib';
import { type Behaviour, isBodiless } from './behaviour.ts';
import { categories, findJoke, pickJoke, searchJokes, toJokeJson } from './jokes.ts';

/** A complete answer. A body of `endless` never ends. `jokeId` is the id of the joke in the body. */
export type Answer = { status: number; headers: Record<string, string>; body: Buffer | 'endless'; jokeId?: string };

export type Question = {
  method: string;
  path: string;
  category: string | null;
  query: string | null;
  origin: string;
};

/** Returns an error body in the format of api.chucknorris.io. */
export const toErrorJson = (status: number, message: string, path: string) => ({
  timestamp: new Date().toISOString(),
  status,
  error: STATUS_CODES[status] ?? 'Unknown Status',
  message,
  path,
});

const typed = (contentType: string, body: string, status = 200): Answer => ({
  status,
  headers: { 'content-type': contentType },
  body: Buffer.from(body),
});
const json = (value: unknown, status = 200) => typed('application/json', JSON.stringify(value), status);

type JokeJson = ReturnType<typeof toJokeJson>;
const tell = (joke: JokeJson): Answer => ({ ...json(joke), jokeId: joke.id });

/** Returns an error answer in the format of api.chucknorris.io. */
export const toErrorAnswer = (status: number, message: string, path: string) =>
  json(toErrorJson(status, message, path), status);

/**
 * Returns what a well-behaved API answers: a joke, the categories, the jokes that a search finds, or an error.
 * `isKnown` returns whether a category exists.
 */
export function toNaturalAnswer(
  { method, path, category, query, origin }: Question,
  isKnown: (category: string) => boolean,
): Answer {
  if (!['GET', 'HEAD'].includes(method)) {
    const refusal = toErrorAnswer(405, `Request method '${method}' is not supported.`, path);
    return { ...refusal, headers: { ...refusal.headers, allow: 'GET, HEAD' } };
  }
  if (path === '/jokes/categories') return json(categories);
  if (path === '/jokes/search') {
    if (query === null || query.length < 3 || query.length > 120)
      return toErrorAnswer(400, 'search.query: size must be between 3 and 120', path);
    const result = searchJokes(query).map((joke) => toJokeJson(joke, origin));
    return json({ total: result.length, result });
  }
  if (path === '/jokes/random')
    return category === null || isKnown(category)
      ? tell(toJokeJson(pickJoke(category), origin))
      : toErrorAnswer(404, `No jokes for category "${category}" found.`, path);
  const id = path.slice('/jokes/'.length);
  const joke = findJoke(id);
  return joke ? tell(toJokeJson(joke, origin)) : toErrorAnswer(404, `Joke with id "${id}" not found.`, path);
}

const markup =
  '<script>alert("joke")</script> <b>bold</b> & "quoted" \u001b[31mred\u001b[0m\u0007\nsecond line\r\nthird\u2028line';
const mebibyte = 1_048_576;
/** The body of `gzip-bomb`. It is compressed only once, because compressing blocks all other answers for tens of ms. */
let bomb: Buffer | undefined;

const toBytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

/** Returns the largest answer that a worker reads. Its joke is the largest output of a batch's item: 16 KiB as JSON. */
function toLargest(joke: JokeJson) {
  const room = 16 * 1024 - toBytes({ id: joke.id, joke: '', url: joke.url });
  const value = `${'"'.repeat(room / 2)}${room % 2 ? 'x' : ''}`;
  return { ...joke, value, padding: 'x'.repeat(64 * 1024 - toBytes({ ...joke, value, padding: '' })) };
}

const bodies: Record<NonNullable<Behaviour['body']>, (joke: JokeJson) => Answer> = {
  joke: tell,
  'joke-with-markup': (joke) => tell({ ...joke, value: markup }),
  'long-joke': (joke) => tell({ ...joke, value: 'ha '.repeat(10_000) }),
  'largest-joke': (joke) => tell(toLargest(joke)),
  empty: () => ({ status: 200, headers: {}, body: Buffer.alloc(0) }),
  html: () => typed('text/html; charset=utf-8', '<!doctype html><title>Maintenance</title><h1>Back soon</h1>'),
  text: (joke) => typed('text/plain; charset=utf-8', joke.value),
  'truncated-json': (joke) => typed('application/json', JSON.stringify(joke).slice(0, -20)),
  'wrong-shape': (joke) => json({ type: 'success', joke: { number: 1, text: joke.value } }),
  huge: (joke) => json({ ...joke, value: 'ha '.repeat(mebibyte / 3) }),
  'gzip-bomb': (joke) => {
    bomb ??= gzipSync(JSON.stringify({ ...joke, value: 'ha '.repeat((10 * mebibyte) / 3) }));
    return { status: 200, headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' }, body: bomb };
  },
  endless: () => ({ status: 200, headers: { 'content-type': 'application/json' }, body: 'endless' }),
};

/** Returns the answer that `behaviour` asks for. Without a `body`, a status of 300 or more gets an error body. */
export function toAnswer(behaviour: Behaviour, question: Question, isKnown: (category: string) => boolean): Answer {
  const status = behaviour.status ?? (behaviour.location === undefined ? undefined : 302);
  const extra = {
    ...(behaviour.retryAfter !== undefined && { 'retry-after': behaviour.retryAfter }),
    ...(behaviour.location !== undefined && { location: behaviour.location }),
  };
  const chosen = behaviour.body ?? (status !== undefined && status < 300 ? 'joke' : undefined);
  const answer = isBodiless(status)
    ? bodies.empty(toJokeJson(pickJoke(), question.origin))
    : chosen
      ? bodies[chosen](toJokeJson(pickJoke(question.category), question.origin))
      : status !== undefined
        ? toErrorAnswer(status, 'A behaviour asked for this status.', question.path)
        : toNaturalAnswer(question, isKnown);
  return { ...answer, status: status ?? answer.status, headers: { ...answer.headers, ...extra } };
}
