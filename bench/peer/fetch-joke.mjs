const url = `${process.env.UPSTREAM_URL}/jokes/random`;

/** The task of every peer: one upstream call, with the checks of Holdfast's activity. Throws unless it gets a joke. */
export async function fetchJoke() {
  const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(300_000) });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`HTTP ${response.status}`);
  }
  const { id, value, url: link } = await response.json();
  if ([id, value, link].some((field) => typeof field !== 'string')) throw new Error('JSON of another shape');
  return { id, joke: value, url: link };
}
