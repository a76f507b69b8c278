/** What would move the cursor, recolour, reorder or break a line: upstreams and callers write the texts that are shown. */
const unsafe = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

const toCodePoint = (character: string) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;

const short: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** The text on one line and without effect on a terminal: a line break shows as `\n`, an escape as `\u001b`. */
export const escapeText = (text: string) =>
  text.replace(unsafe, (character) => short[character] ?? toCodePoint(character));

/** The value as JSON on one line that has no effect on a terminal either; it parses to the same value. */
export const toJsonLine = (value: unknown) => JSON.stringify(value).replace(unsafe, toCodePoint);
