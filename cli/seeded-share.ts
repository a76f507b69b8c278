import { createHash } from 'node:crypto';

/** Returns a number in [0, 1) that depends only on `values`: repeatable randomness. */
export const toSeededShare = (...values: (string | number)[]) =>
  createHash('sha256').update(JSON.stringify(values)).digest().readUInt32BE() / 2 ** 32;
