const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Prints two rates, a round each, their medians and spread, and their ratio round by round: the one that noise spares. */
export function report(what: string, ours: number[], theirs: number[], names: [string, string]): void {
  const ratios = ours.map((value, index) => value / (theirs[index] ?? Number.NaN));
  const spread = (values: number[]) => `${Math.min(...values).toFixed(0)}–${Math.max(...values).toFixed(0)}`;
  console.log(`\n${what}`);
  console.log(`  ${names[0].padEnd(34)} ${median(ours).toFixed(0).padStart(6)}/s  (${spread(ours)})`);
  console.log(`  ${names[1].padEnd(34)} ${median(theirs).toFixed(0).padStart(6)}/s  (${spread(theirs)})`);
  console.log(
    `  ${'ratio, round by round'.padEnd(34)} ${median(ratios).toFixed(2).padStart(6)}    (${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)})`,
  );
}
