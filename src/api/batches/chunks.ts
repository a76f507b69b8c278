/**
 * The limits of a chunk. Its inputs go to Temporal in one message of at most 4 MiB, so 1 MiB of inputs is safe. The
 * outputs of 500 items have at most 8 MiB. Chunks of 250 items completed a fifth fewer items per second.
 */
const maximumItems = 500;
const maximumBytes = 1024 * 1024;

/** Returns the number of items of each chunk, in order. An input over 1 MiB gets a chunk of its own. */
export function toChunkSizes(inputBytes: number[]): number[] {
  const sizes: number[] = [];
  let items = 0;
  let bytes = 0;
  for (const size of inputBytes) {
    if (items > 0 && (items === maximumItems || bytes + size > maximumBytes)) {
      sizes.push(items);
      items = 0;
      bytes = 0;
    }
    items += 1;
    bytes += size;
  }
  return [...sizes, items];
}

export type Chunk = { number: number; first: number; size: number };

/** Returns the chunks of these sizes, beginning with the one that contains item `index`. */
export function toChunksFrom(sizes: number[], index: number): Chunk[] {
  let next = 0;
  const chunks = sizes.map((size, number) => {
    const first = next;
    next += size;
    return { number, first, size };
  });
  return chunks.filter(({ first, size }) => first + size > index);
}
