/**
 * Returns the probability that at least `late` of `count` values exceed a bound although 99 % of all values keep it (the
 * binomial distribution). Below 5 %, a run refutes the bound at 95 % confidence. So one late value refutes it among up
 * to 5 values, and two refute it among up to 35.
 */
export function toChance(late: number, count: number): number {
  let chance = 1;
  let exactly = 0.99 ** count;
  for (let n = 0; n < late; n += 1) {
    chance -= exactly;
    exactly *= ((count - n) / (n + 1)) * (0.01 / 0.99);
  }
  return chance;
}
