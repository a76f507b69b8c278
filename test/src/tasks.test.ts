import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { taskNames, tasks } from '../../src/tasks.ts';

const { input, output } = tasks['fetch-joke'];
const parse = (json: string) => input.safeParse(JSON.parse(json));
const accepts = (category: unknown) => input.safeParse({ category }).success;
const laughing = '😂';

describe('the catalogue', () => {
  it('gives every task a name that is valid in URLs, workflow types and id prefixes', () => {
    expect(taskNames).toEqual(Object.keys(tasks));
    for (const name of taskNames) expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
  });
});

describe('the input of fetch-joke', () => {
  it('may omit the category', () => {
    expect(input.parse({})).toEqual({});
  });

  // Seen to fail with `value.length`, which counts an emoji as two, and with `<`.
  it('accepts a category of 1 to 64 code points, and counts an emoji as one', () => {
    expect(['a', 'a'.repeat(64), laughing.repeat(64), 'été 日本語'].filter(accepts)).toHaveLength(4);
    expect(['', 'a'.repeat(65), laughing.repeat(65)].filter(accepts)).toEqual([]);
  });

  // Seen to fail without the check for NUL, and without isWellFormed.
  it.each([
    ['NUL', '"\\u0000"'],
    ['NUL among others', '"de\\u0000v"'],
    ['a lone high surrogate', '"\\ud83d"'],
    ['a lone low surrogate', '"\\ude02x"'],
    ['surrogates in the wrong order', '"\\ude02\\ud83d"'],
    ['null', 'null'],
    ['a number', '42'],
    ['an array', '["dev"]'],
    ['an object', '{}'],
  ])('refuses %s as category, naming the field', (_, category) => {
    expect(parse(`{"category":${category}}`).error?.issues.map(({ path }) => path)).toEqual([['category']]);
  });

  it('accepts exactly the well-formed strings of 1 to 64 code points without NUL', () => {
    const anyText = fc.array(
      fc.oneof(fc.string({ unit: 'binary', maxLength: 4 }), fc.constantFrom('\ud83d', '\0', 'dev')),
      {
        maxLength: 24,
      },
    );
    fc.assert(
      fc.property(anyText, (parts) => {
        const text = parts.join('');
        const points = Array.from(text, (point) => point.codePointAt(0) ?? 0);
        const isFine = points.every((point) => point !== 0 && (point < 0xd800 || point > 0xdfff));
        expect(accepts(text)).toBe(isFine && points.length >= 1 && points.length <= 64);
      }),
    );
  });

  it.each([
    ['{"status":"completed"}', 'status'],
    ['{"__proto__":{"category":"dev"}}', '__proto__'],
    ['{"constructor":{}}', 'constructor'],
    ['{"category":"dev","url":"http://elsewhere.test"}', 'url'],
    ['{"Category":"dev"}', 'Category'],
  ])('refuses the unknown field of %s by its name', (json, field) => {
    expect(parse(json).error?.issues).toMatchObject([{ code: 'unrecognized_keys', keys: [field] }]);
    expect(({} as { category?: string }).category).toBeUndefined();
  });

  it.each(['null', '[]', '"x"', '42', 'true'])('refuses %s: an input is an object', (json) => {
    expect(parse(json).success).toBe(false);
  });
});

describe('the output of fetch-joke', () => {
  it('has id, joke and url, all strings, and the joke may be any string', () => {
    const joke = '<script>\u001b[31m\r\n\u2028';
    expect(output.parse({ id: '1', joke, url: 'http://u' })).toEqual({ id: '1', joke, url: 'http://u' });
    expect(output.safeParse({ id: '1', joke: 5, url: 'http://u' }).success).toBe(false);
  });
});
