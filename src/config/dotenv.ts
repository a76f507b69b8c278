import { parse } from 'dotenv';

/**
 * Returns the text of a file in UTF-8, or in UTF-16 with a byte order mark, which PowerShell's `>` writes.
 * @throws {TypeError} for bytes in another encoding.
 */
function decode(bytes: Buffer): string {
  const mark = bytes.subarray(0, 2).toString('hex');
  const encoding = mark === 'fffe' ? 'utf-16le' : mark === 'feff' ? 'utf-16be' : 'utf-8';
  const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
  // UTF-16 without a mark is valid UTF-8, but every second character is a NUL.
  if (text.includes('\0')) throw new TypeError('The text contains a NUL');
  return text;
}

/** Returns the first two words of a line that dotenv skips, such as `set PORT` of `set PORT=8000`. */
function toSkipped(line: string): string[] {
  const [first, second] = line.trim().split('=')[0]?.match(/\w+/g) ?? [];
  const isSkipped = second !== undefined && !line.trim().startsWith('#') && Object.keys(parse(line)).length === 0;
  return isSkipped ? [`${first} ${second}`] : [];
}

/**
 * Returns the variables of a `.env` file. A line that sets nothing becomes a variable with a space in its name, so that
 * `loadConfig` can warn about it.
 * @throws {TypeError} if the file is not text in UTF-8 or UTF-16.
 */
export function parseDotenv(bytes: Buffer): Record<string, string> {
  const text = decode(bytes);
  const skipped = text.split(/\r?\n/).flatMap(toSkipped);
  return { ...Object.fromEntries(skipped.map((words) => [words, 'skipped'])), ...parse(text) };
}
