import { createHash } from 'node:crypto';

/** Returns a pseudorandom number in [0, 1). The same `values` always give the same number. */
export const toSeededShare = (...values: (string | number)[]) =>
  createHash('sha256').update(JSON.stringify(values)).digest().readUInt32BE() / 2 ** 32;
