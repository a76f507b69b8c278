/** Items of one child workflow at most, and the bytes of their inputs as JSON: one message to the server carries them all (4 MiB). */
const mostItems = 100;
const mostBytes = 1024 * 1024;

/** How many items each chunk of a batch has, in order, for the sizes of their inputs. An input over the bytes gets a chunk of its own. */
export function toChunkSizes(inputBytes: number[]): number[] {
  const sizes: number[] = [];
  let items = 0;
  let bytes = 0;
  for (const size of inputBytes) {
    if (items > 0 && (items === mostItems || bytes + size > mostBytes)) {
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

/** The chunks of those sizes, from the one that has item `index`. */
export function toChunksFrom(sizes: number[], index: number): Chunk[] {
  let next = 0;
  const chunks = sizes.map((size, number) => {
    const first = next;
    next += size;
    return { number, first, size };
  });
  return chunks.filter(({ first, size }) => first + size > index);
}
