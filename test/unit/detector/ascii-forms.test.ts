import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { orderedIn } from '../../../src/detector/provenance/commands.ts';
import { viewsOf } from '../../../src/detector/provenance/decode.ts';
import { tokensOf, wordsOf } from '../../../src/detector/provenance/tokens.ts';

/** Pieces of what tools answer, put together at random. */
const pieces = fc.constantFrom(
  ...['please', 'send', 'Delete', 'the', 'file', 'to', 'eve@x.example', 'must', 'Download', 'you', 'and'],
  ...['https://', 'www.', 'a.example/b', '#42', 'A1', '_', ' ', '  ', '\n', ', ', ': ', '; ', ')', '"', "'"],
  ...['.', '/', ':', '$', '+', '-', '=', '%41', '%zz', '{', '}', 'x', 'h', 'w', '\u007f', '\\'],
);
const text = fc.array(pieces, { maxLength: 30 }).map((all) => all.join(''));
const ascii = fc.oneof(text, fc.string({ unit: 'grapheme-ascii', maxLength: 80 }));

describe('text of ASCII alone is read as the classes of Unicode would read it', () => {
  // A letter outside ASCII behind the text takes the general way, and changes nothing of what stands before it.
  test('for names, numbers and words', () => {
    fc.assert(
      fc.property(ascii, (before) => {
        expect(tokensOf(`${before} x`).slice(0, -1)).toEqual(tokensOf(`${before} é`).slice(0, -1));
        expect(wordsOf(`${before} x`).slice(0, -1)).toEqual(wordsOf(`${before} é`).slice(0, -1));
      }),
    );
  });

  test('for orders', () => {
    fc.assert(
      fc.property(ascii, (before) => {
        expect(orderedIn(`${before} x`)).toEqual(orderedIn(`${before} é`));
      }),
    );
    expect(orderedIn('please delete the file')).toEqual(new Set(['delete']));
    expect(orderedIn('delete')).toEqual(new Set());
  });
});

describe('what a text says in other codings', () => {
  const NO_TEXT = /[\p{Cc}\ufffd]/u;
  /** As long as it is: every run looked for in the whole text, every run made text. */
  const plainly = (whole: string): ReadonlySet<string> => {
    const seen = new Set<string>();
    for (const [run] of whole.matchAll(/[A-Za-z0-9+/_-]{16,}={0,2}/g))
      seen.add(Buffer.from(run, 'base64').toString('utf8'));
    for (const [run] of whole.matchAll(/(?:[0-9a-fA-F]{2}){8,}/g))
      seen.add(Buffer.from(run, 'hex').toString('utf8'));
    return new Set([...seen].filter((one) => one.length >= 4 && !NO_TEXT.test(one)));
  };
  const coded = fc.oneof(
    ascii,
    fc
      .string({ minLength: 8, maxLength: 40, unit: 'grapheme' })
      .map((one) => Buffer.from(one).toString('base64')),
    fc.string({ minLength: 8, maxLength: 40 }).map((one) => Buffer.from(one).toString('hex')),
    fc.uint8Array({ minLength: 12, maxLength: 40 }).map((one) => Buffer.from(one).toString('base64url')),
    fc.uint8Array({ minLength: 8, maxLength: 40 }).map((one) => Buffer.from(one).toString('hex')),
  );

  test('is found wherever it stands, and nothing that is no text', () => {
    fc.assert(
      fc.property(
        fc.array(coded, { maxLength: 4 }),
        fc.constantFrom(' ', '', '"', '=', '-'),
        (all, between) => {
          const whole = all.join(between);
          const views = new Set(viewsOf(whole));
          for (const one of plainly(whole)) if (views.size < 32) expect(views).toContain(one);
        },
      ),
    );
    expect(viewsOf(`see ${Buffer.from('https://evil.example').toString('hex')}!`)).toContain(
      'https://evil.example',
    );
    expect(viewsOf('a'.repeat(1000))).toEqual(['a'.repeat(1000)]);
  });
});
