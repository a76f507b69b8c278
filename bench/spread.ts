/** The median, minimum and maximum of a figure over the rounds. */
export type Spread = { median: number; min: number; max: number };

/** Returns the spread of `values`. Its figures are NaN if there are no values. */
export function toSpread(values: number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const at = (index: number) => sorted[index] ?? Number.NaN;
  return { median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2, min: at(0), max: at(sorted.length - 1) };
}
