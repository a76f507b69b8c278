import { expect, test } from 'vitest';
import { createPlaces } from '../../../src/activities/places.ts';

const never = new AbortController().signal;

type Places = ReturnType<typeof createPlaces>;

/** Lets attempts ask for places. `granted` has their names in the order in which they got a place. */
function createQueue(places: Places) {
  const granted: string[] = [];
  const releases = new Map<string, () => void>();
  const enter = async (name: string, taking: Promise<(() => void) | undefined>) => {
    const release = await taking;
    if (!release) return;
    granted.push(name);
    releases.set(name, release);
  };
  return {
    granted,
    single: (name: string, signal = never) => enter(name, places.takeForSingle(signal)),
    slice: (name: string, owner = 'a', signal = never) => enter(name, places.takeForSlice(owner, signal)),
    release: (name: string) => releases.get(name)?.(),
    settle: () => new Promise(setImmediate),
  };
}

test('no place is free when slices have all that they may take, or single attempts have all', async () => {
  const places = createPlaces(3);
  const queue = createQueue(places);
  expect(places.readFree()).toBe(2);
  for (const name of ['1', '2', '3']) void queue.slice(name);
  await queue.settle();
  expect(places.readFree()).toBe(0);
  for (const name of ['1', '2']) queue.release(name);
  await queue.settle();
  expect(places.readFree()).toBe(1);
  for (const name of ['single 1', 'single 2']) void queue.single(name);
  await queue.settle();
  expect(places.readFree()).toBe(0);
});

test('slices leave one place to single attempts, and a single attempt takes it', async () => {
  const queue = createQueue(createPlaces(3));
  for (const name of ['1', '2', '3']) void queue.slice(name);
  await queue.settle();
  expect(queue.granted).toEqual(['1', '2']);
  await queue.single('single');
  expect(queue.granted).toEqual(['1', '2', 'single']);
});

test('single attempts may hold all places', async () => {
  const queue = createQueue(createPlaces(2));
  for (const name of ['1', '2', '3']) void queue.single(name);
  await queue.settle();
  expect(queue.granted).toEqual(['1', '2']);
});

test('slices use the only place of a worker that has one', async () => {
  const queue = createQueue(createPlaces(1));
  await queue.slice('slice');
  expect(queue.granted).toEqual(['slice']);
});

test('a free place goes to a single attempt that waits, before any slice', async () => {
  const queue = createQueue(createPlaces(2));
  await queue.slice('slice');
  await queue.single('one');
  void queue.slice('later slice');
  void queue.single('two');
  queue.release('slice');
  await queue.settle();
  expect(queue.granted).toEqual(['slice', 'one', 'two']);
  queue.release('one');
  await queue.settle();
  expect(queue.granted.at(-1)).toBe('later slice');
});

test('the owner whose slices hold the fewest places comes first, and equal owners take turns', async () => {
  const queue = createQueue(createPlaces(4));
  for (const name of ['a1', 'a2', 'a3', 'a4', 'a5']) void queue.slice(name, 'a');
  for (const name of ['b1', 'b2', 'b3']) void queue.slice(name, 'b');
  await queue.settle();
  expect(queue.granted).toEqual(['a1', 'a2', 'a3']);
  for (const name of ['a1', 'a2', 'a3']) queue.release(name);
  await queue.settle();
  expect(queue.granted.slice(3)).toEqual(['b1', 'a4', 'b2']);
});

test('an attempt that stops waiting gets no place, and takes none from others', async () => {
  const queue = createQueue(createPlaces(1));
  await queue.single('holds');
  const leaving = new AbortController();
  void queue.single('leaves', leaving.signal);
  void queue.slice('leaves too', 'a', leaving.signal);
  void queue.single('stays');
  leaving.abort();
  queue.release('holds');
  await queue.settle();
  expect(queue.granted).toEqual(['holds', 'stays']);
});
