import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { toRetryAfterMs } from '../../../src/activities/retry-after.ts';

const now = Date.UTC(2026, 0, 31, 12, 0, 0);
afterEach(() => {
  vi.unstubAllEnvs();
});
const read = (value: string | undefined) => toRetryAfterMs(value, now);

describe('Retry-After', () => {
  it.each([
    ['7', 7_000],
    ['0', 0],
    ['007', 7_000],
    [' 7 ', 7_000],
    ['31536000', 31_536_000_000],
  ])('reads %j as seconds', (value, ms) => {
    expect(read(value)).toBe(ms);
  });

  it('reads a number that overflows as ∞, which the cap then limits', () => {
    expect(read('9'.repeat(400))).toBe(Number.POSITIVE_INFINITY);
  });

  it.each([
    ['IMF-fixdate', 'Sat, 31 Jan 2026 12:00:20 GMT'],
    ['RFC 850', 'Saturday, 31-Jan-26 12:00:20 GMT'],
    ['asctime', 'Sat Jan 31 12:00:20 2026'],
  ])('reads a date in the form of %s as the time until then', (_, value) => {
    expect(read(value)).toBe(20_000);
  });

  // Seen to fail when the asctime form, which has no time zone, was read as local time.
  it('reads every date as UTC in any time zone of the worker', () => {
    vi.stubEnv('TZ', 'Asia/Tokyo');
    expect(new Date(now).getHours()).toBe(21);
    const dates = ['Sat, 31 Jan 2026 12:00:20 GMT', 'Saturday, 31-Jan-26 12:00:20 GMT', 'Sat Jan 31 12:00:20 2026'];
    expect(dates.map(read)).toEqual([20_000, 20_000, 20_000]);
  });

  it('reads a one-digit day in the asctime form', () => {
    expect(read('Sun Feb  1 12:00:00 2026')).toBe(86_400_000);
  });

  it('reads a date a year ahead as a year', () => {
    expect(read('Sun, 31 Jan 2027 12:00:00 GMT')).toBe(365 * 86_400_000);
  });

  // Seen to fail without the `Math.max(0, …)`.
  it('reads a date in the past, and now, as 0', () => {
    expect(read('Sun, 06 Nov 1994 08:49:37 GMT')).toBe(0);
    expect(read('Sat, 31 Jan 2026 12:00:00 GMT')).toBe(0);
  });

  it('is undefined without the header', () => {
    expect(read(undefined)).toBeUndefined();
  });

  // Seen to fail when every other text went to Date.parse, which reads 'garbage 2050' as a date.
  it.each([
    '',
    ' ',
    '-1',
    '-0',
    '+7',
    '1.5',
    '1e3',
    '0x10',
    '7 seconds',
    '7, 8',
    'soon',
    'garbage 2050',
    'Infinity',
    'NaN',
    '2050-01-01',
    '2050-01-01T00:00:00Z',
    'Sat, 31 Jan 2026 12:00:20 +0200',
    'Sat, 31 Foo 2026 12:00:20 GMT',
    'Sat, 31 Jan 2026 25:00:20 GMT',
    'Sat, 31 Jan 2026 12:00:20 GMT, 7',
  ])('ignores %j: undefined', (value) => {
    expect(read(value)).toBeUndefined();
  });

  it('gives undefined or a number from 0 for any header', () => {
    const pieces = fc.constantFrom('Sat', 'Jan', ' ', ',', 'GMT', '31', '2026', '12:00:20', '-', ':', '99');
    const anyHeader = fc.oneof(
      fc.string(),
      fc.array(pieces).map((parts) => parts.join('')),
      fc.integer().map(String),
    );
    fc.assert(
      fc.property(anyHeader, fc.integer({ min: 0, max: 4_102_444_800_000 }), (value, at) => {
        const ms = toRetryAfterMs(value, at);
        expect(ms === undefined || ms >= 0).toBe(true);
      }),
    );
  });
});
