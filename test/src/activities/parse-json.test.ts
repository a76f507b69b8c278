import { ApplicationFailure } from '@temporalio/activity';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson, stopsInTheMiddle } from '../../../src/activities/parse-json.ts';

/** Parses these bytes. Returns the value, or the failure's type. */
function outcomeOf(body: string | Uint8Array): unknown {
  try {
    return { value: parseJson(Buffer.from(body), 0) };
  } catch (error) {
    if (!(error instanceof ApplicationFailure)) throw error;
    return error.type;
  }
}

const awkward = fc.constantFrom('{', '}', '[', ']', '"', '\\', '\\"', '":{', '\n', 'é', '日', '😂', '\u2028', '\ud83d');
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.array(awkward, { maxLength: 4 }).map((parts) => parts.join('')),
);
const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.oneof(
      anyText,
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.constant(null),
    ),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(anyText, tie('value'), { maxKeys: 3 }),
  ),
}));
/** Any JSON object, on one line or indented. */
const anyObjectJson = fc
  .tuple(fc.dictionary(anyText, anyValue, { maxKeys: 3 }), fc.constantFrom(undefined, 2, '\t'))
  .map(([object, indent]) => JSON.stringify(object, null, indent));

describe('JSON that stops in the middle', () => {
  // Seen to fail when brackets within strings count, and when escapes are ignored.
  it('is every proper prefix of an object that begins with its brace', () => {
    fc.assert(
      fc.property(anyObjectJson, (json) => {
        for (let end = 1; end < json.length; end++) expect(stopsInTheMiddle(json.slice(0, end))).toBe(true);
      }),
    );
  });

  // Seen to fail when the last character had to be complete: a cut within é made the failure final.
  it('is retried after a cut at any byte, also within a character', () => {
    fc.assert(
      fc.property(anyObjectJson, (json) => {
        const bytes = Buffer.from(json);
        for (let end = 1; end < bytes.length; end++)
          expect(outcomeOf(bytes.subarray(0, end))).toBe('TruncatedResponse');
      }),
    );
  });

  it.each(['[', '[1, 2', '[{"a":1}', ' \n{"a"', '{"a":"}\\', '{"a":"\\u00'])('is %j too', (text) => {
    expect(outcomeOf(text)).toBe('TruncatedResponse');
  });
});

describe('JSON that is complete', () => {
  it('is parsed to its value', () => {
    fc.assert(
      fc.property(anyObjectJson, (json) => {
        // UTF-8 cannot hold a lone surrogate, and JSON.stringify always escapes it.
        expect(outcomeOf(json)).toEqual({ value: JSON.parse(json) });
      }),
    );
  });

  it('may begin with a byte order mark and end with blanks', () => {
    expect(outcomeOf('\uFEFF{"a":1} \n')).toEqual({ value: { a: 1 } });
  });

  // Seen to fail without `open.length === 0`, which marks the end of the outermost value.
  it('does not stop in the middle if anything follows it', () => {
    const anyRest = fc.constantFrom(',', '}', ']', '{', '[', 'x', '"', '{"a":', '<!-- -->', '0');
    fc.assert(
      fc.property(anyObjectJson, anyRest, (json, rest) => {
        expect(stopsInTheMiddle(json + rest)).toBe(false);
        expect(outcomeOf(json + rest)).toBe('InvalidResponse');
      }),
    );
  });

  it.each([
    '{"a" 1}',
    "{'a':1}",
    '{a:1}',
    '{"a":1,}',
    '[1,]',
    '{"a":NaN}',
    '{"a":]',
    '[1}',
    '{"a":"line\nbreak"}',
    '{"a":"\\x"}',
    '{"a":1} // comment',
  ])('but wrong, as %j, is final', (text) => {
    expect(outcomeOf(text)).toBe('InvalidResponse');
  });
});

describe('a body that is not a JSON object', () => {
  it.each(['', ' ', '<!doctype html>', 'A joke.', 'tru', '"half', '-', '}', 'null x'])('as %j is final', (text) => {
    expect(outcomeOf(text)).toBe('InvalidResponse');
  });

  it.each([
    ['at the start', [0xff, 0x7b, 0x7d]],
    ['in a string', [0x7b, 0x22, 0xc3, 0x28, 0x22]],
    ['after complete JSON', [0x7b, 0x7d, 0xc3]],
  ])('that is not UTF-8 %s is final', (_, bytes) => {
    expect(outcomeOf(Uint8Array.from(bytes))).toBe('InvalidResponse');
  });

  it('is final for any bytes that do not begin an object or array', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        fc.pre(!/^(\uFEFF)?\s*[{[]/.test(Buffer.from(bytes).toString()));
        const outcome = outcomeOf(bytes);
        expect(outcome === 'InvalidResponse' || typeof outcome === 'object').toBe(true);
      }),
    );
  });
});

it('recognises truncated JSON in linear time: 64 KiB of the worst inputs take no noticeable time', () => {
  const size = 64 * 1024;
  const worst = ['{"'.repeat(size / 2), `{"${'\\'.repeat(size)}`, '{'.repeat(size), `{"a":"${'\\"'.repeat(size / 2)}`];
  expect(worst.map(stopsInTheMiddle)).toEqual([true, true, true, true]);
});
