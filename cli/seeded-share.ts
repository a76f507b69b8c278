import { createHash } from 'node:crypto';

/** A number in [0, 1) that is always the same for the same values: chance that can be repeated. */
export const toSeededShare = (...values: (string | number)[]) =>
  createHash('sha256').update(JSON.stringify(values)).digest().readUInt32BE() / 2 ** 32;
