import { createHash, randomInt } from 'node:crypto';
import { createRequire } from 'node:module';

export type Joke = { id: string; text: string; categories: string[] };

/** Maps each category to a tag of the joke package. A category that api.chucknorris.io also has is named as there. */
const tagOf: Record<string, string> = {
  animal: 'animal',
  car: 'car',
  career: 'work',
  christmas: 'Christmas',
  communication: 'communication',
  dev: 'IT',
  family: 'family',
  food: 'food',
  friendship: 'friendship',
  intelligence: 'intelligence',
  kids: 'kids',
  life: 'life',
  money: 'money',
  motivational: 'motivational',
  puns: 'puns',
  school: 'school',
  sport: 'sport',
  success: 'success',
  time: 'time',
  travel: 'travel',
};
export const categories = Object.keys(tagOf);

const tellable = new Set([...Object.values(tagOf), 'attitude', 'sarcastic']);
const toId = (text: string) => createHash('sha256').update(text).digest('base64url').slice(0, 22);

/** Some jokes of the package contain character references. */
const decode = (text: string) => text.replaceAll('&quot;', '"').replaceAll('&amp;', '&');

/** The package's jokes that have only harmless tags. The others are left out, because demos show the jokes. */
const jokes = new Map<string, Joke>();
for (const { body: encoded, tags } of createRequire(import.meta.url)('one-liner-joke/jokes.json') as {
  body: string;
  tags: string[];
}[]) {
  const own = categories.filter((category) => tags.includes(tagOf[category] ?? category));
  const body = decode(encoded);
  if (own.length > 0 && tags.every((tag) => tellable.has(tag)))
    jokes.set(toId(body), { id: toId(body), text: body, categories: own });
}

/** Returns the joke with that id, or undefined. An id stands for the same text on every machine. */
export const findJoke = (id: string) => jokes.get(id);

const all = [...jokes.values()];

/** Returns all jokes that contain the text, in any case. */
export const searchJokes = (text: string) => all.filter((joke) => joke.text.toLowerCase().includes(text.toLowerCase()));

const byCategory = new Map(categories.map((name) => [name, all.filter((joke) => joke.categories.includes(name))]));

function pickFrom(choice: Joke[]): Joke {
  const joke = choice[randomInt(choice.length)];
  if (!joke) throw new Error('The joke package has no jokes.');
  return joke;
}

/**
 * Returns a random joke of `category`, or any joke without `category`. If the joke package has no such category (only
 * a rule of the joke API names it), returns any joke and labels it with `category`.
 */
export function pickJoke(category?: string | null): Joke {
  if (!category) return pickFrom(all);
  const own = byCategory.get(category);
  return own ? pickFrom(own) : { ...pickFrom(all), categories: [category] };
}

/** Returns a joke in the format of api.chucknorris.io. Its `url` begins with `origin`. */
export const toJokeJson = (joke: Joke, origin: string) => ({
  categories: joke.categories,
  created_at: '2020-01-05 13:42:19.104863',
  icon_url: 'https://api.chucknorris.io/img/avatar/chuck-norris.png',
  id: joke.id,
  updated_at: '2020-01-05 13:42:19.104863',
  url: `${origin}/jokes/${joke.id}`,
  value: joke.text,
});
