import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProofFault, parseStrictJsonObject } from '../../../src/proof/index.ts';

const parse = (text: string) => parseStrictJsonObject(text, 32);

describe('strict JSON', () => {
  test('reads what JSON.stringify writes as JSON.parse does', () => {
    const member = fc.string().filter((name) => name !== '__proto__');
    const value = fc.letrec((tie) => ({
      node: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom(null, true, false),
        fc.string({ unit: 'grapheme' }),
        fc.double({ noDefaultInfinity: true, noNaN: true }),
        fc.array(tie('node'), { maxLength: 4 }),
        fc.dictionary(member, tie('node'), { maxKeys: 4 }),
      ),
    })).node;
    fc.assert(
      fc.property(fc.dictionary(member, value), fc.constantFrom(0, 2, '\t'), (object, indent) => {
        const text = JSON.stringify(object, null, indent);
        expect(JSON.stringify(parse(text))).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  test('answers with an object or a ProofFault, whatever it is given', () => {
    const text = fc.string({ unit: fc.constantFrom(...'{}[]":,\\u0e+-.1tfn \n'), maxLength: 40 });
    fc.assert(
      fc.property(fc.oneof(text, fc.string({ unit: 'binary' }), fc.json()), (given) => {
        let mine: unknown;
        try {
          mine = parse(given);
        } catch (fault) {
          expect(fault).toBeInstanceOf(ProofFault);
          return;
        }
        expect(JSON.stringify(mine)).toBe(JSON.stringify(JSON.parse(given)));
      }),
      { numRuns: 3000 },
    );
  });

  test.each([
    ['a member twice', '{"a":1,"a":2}'],
    ['a member twice, once escaped', '{"a":1,"\\u0061":2}'],
    ['a member twice, deep inside', '{"x":[{"a":1,"a":1}]}'],
    ['__proto__', '{"__proto__":{"scope":"root"}}'],
    ['escaped __proto__', '{"__proto\\u005f_":1}'],
    ['an infinite number', '{"exp":1e999}'],
    ['a list', '[]'],
    ['null', 'null'],
    ['text behind it', '{} x'],
    ['a byte order mark', '\ufeff{}'],
    ['a comment', '{/**/}'],
    ['a trailing comma', '{"a":1,}'],
    ['a trailing comma in a list', '{"a":[1,]}'],
    ['single quotes', "{'a':1}"],
    ['a control character in a string', '{"a":"\u0001"}'],
    ['a lone surrogate', '{"a":"\\ud800"}'],
    ['a leading zero', '{"a":01}'],
    ['a plus sign', '{"a":+1}'],
    ['a bare word', '{"a":nullx}'],
    ['no value', '{"a":}'],
    ['an open end', '{"a":[1'],
    ['no-break space', '{\u00a0}'],
    ['nothing', ''],
  ])('refuses %s', (_what, text) => {
    expect(() => parse(text)).toThrow(ProofFault);
  });

  test('refuses nesting beyond the limit, however deep', () => {
    const deep = (depth: number) => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    expect(() => parse(deep(30))).not.toThrow();
    for (const depth of [33, 20_000]) expect(() => parse(deep(depth))).toThrow(ProofFault);
  });

  test('objects have no prototype to be confused with', () => {
    expect(Object.getPrototypeOf(parse('{"constructor":1}'))).toBeNull();
    expect(parse('{}').toString).toBeUndefined();
  });
});
