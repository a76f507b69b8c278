const shortest = 8;

/** `0f1e…_fetch-joke_3f2a9c1e-…` is told by its last part. */
const toKey = (id: string) => id.slice(id.lastIndexOf('_') + 1);

/**
 * Shortens ids: the beginning of the last part, eight characters or as many as it takes to tell the task from all that
 * were shortened before. The same id is always shortened to the same text.
 */
export function createShortIds() {
  const shortened = new Map<string, string>();
  const taken = new Set<string>();
  return (id: string): string => {
    const known = shortened.get(id);
    if (known !== undefined) return known;
    const key = toKey(id);
    let length = shortest;
    while (taken.has(key.slice(0, length)) && length < key.length) length += 1;
    const text = taken.has(key.slice(0, length)) ? id : key.slice(0, length);
    taken.add(text);
    shortened.set(id, text);
    return text;
  };
}
