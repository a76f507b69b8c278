/** The three date formats of RFC 9110 section 5.6.7. `Date.parse` alone would accept many other formats. */
const httpDate =
  /^((Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT|[A-Z][a-z]+day, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT|(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4})$/;

/** Returns the time of an HTTP date in epoch milliseconds, and undefined for any other text. */
export function toTimeMs(text = ''): number | undefined {
  if (!httpDate.test(text)) return undefined;
  const time = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  return Number.isNaN(time) ? undefined : time;
}

/**
 * Returns the delay that a Retry-After header asks for (seconds or an HTTP date), in milliseconds from `now`.
 *
 * Returns 0 for a date in the past, and undefined for a missing or invalid header (RFC 9110 section 10.2.3).
 */
export function toRetryAfterMs(value: string | undefined, now = Date.now()): number | undefined {
  const text = value?.trim() ?? '';
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  const time = toTimeMs(text);
  return time === undefined ? undefined : Math.max(0, time - now);
}
