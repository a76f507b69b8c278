/** A short name may differ by one edit only. Two edits often make another word, such as `HOST` of `HOME`. */
const toMaximumEdits = (name: string) => (name.length < 9 ? 1 : 2);

/** Names that belong to other programs, although they resemble ours. */
const ofOthers = ['FTP_PROXY', 'PART', 'POST', 'SORT'];

/**
 * Whether at most `edits` edits turn `a` into `b`. An edit adds, removes or replaces a character, or swaps two
 * neighbours (optimal string alignment, https://en.wikipedia.org/wiki/Damerau–Levenshtein_distance).
 */
function isWithin(edits: number, a: string, b: string): boolean {
  if (a === b) return true;
  if (edits === 0) return false;
  let same = 0;
  while (a[same] === b[same]) same += 1;
  const [left, right] = [a.slice(same), b.slice(same)];
  return (
    isWithin(edits - 1, left.slice(1), right) ||
    isWithin(edits - 1, left, right.slice(1)) ||
    isWithin(edits - 1, left.slice(1), right.slice(1)) ||
    (left[0] === right[1] && left[1] === right[0] && isWithin(edits - 1, left.slice(2), right.slice(2)))
  );
}

function findNearest(name: string, known: string[]): string | undefined {
  for (const edits of [0, 1, 2]) {
    const nearest = known.find(
      (one) => edits <= toMaximumEdits(one) && isWithin(edits, name.toUpperCase(), one.toUpperCase()),
    );
    if (nearest) return nearest;
  }
  // For example, TEMPORAL_TLS_CLIENT_CERT_PATH has all words of TEMPORAL_TLS_CERT.
  const words = name.toUpperCase().split('_');
  return words.length < 3 ? undefined : known.find((one) => words.every((word) => one.split('_').includes(word)));
}

/**
 * Returns a warning for each unknown name that resembles a known one. A name with a space is the beginning of a line in
 * `.env` that sets nothing. Its warning has only the known name, because the line may contain a secret.
 */
export function toWarnings(names: string[], known: string[]): string[] {
  return names.flatMap((name) => {
    const words = name.split(' ');
    const [nearest] = words.flatMap((word) => findNearest(word, known) ?? []);
    if (!nearest || known.includes(name) || ofOthers.includes(name.toUpperCase())) return [];
    return words.length > 1
      ? `.env has a line about ${nearest} that sets nothing. Write ${nearest}=value`
      : `${name} has no effect. Did you mean ${nearest}?`;
  });
}
