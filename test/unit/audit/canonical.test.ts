import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson } from '../../../src/audit/index.ts';
import { SecretBytes } from '../../../src/core/index.ts';

test('the example of RFC 8785 section 3.2.2 gets the bytes of section 3.2.3', () => {
  const value = {
    // biome-ignore lint/correctness/noPrecisionLoss: the RFC writes the number so.
    numbers: [333333333.33333329, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
    string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
    literals: [null, true, false],
  };
  expect(canonicalJson(value)).toBe(
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
      '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  );
});

test('members stand in the order of their UTF-16 code units (RFC 8785 section 3.2.3)', () => {
  const value = {
    '\u20ac': 'Euro Sign',
    '\r': 'Carriage Return',
    '\ufb33': 'Hebrew Letter Dalet With Dagesh',
    '1': 'One',
    '\u{1F600}': 'Emoji: Grinning Face',
    '\u0080': 'Control',
    '\u00f6': 'Latin Small Letter O With Diaeresis',
  };
  const order = [...canonicalJson(value).matchAll(/:"([A-Z][a-z]+)/g)].map(([, word]) => word);
  expect(order).toEqual(['Carriage', 'One', 'Control', 'Latin', 'Euro', 'Emoji', 'Hebrew']);
});

test.each([
  [0, '0'],
  [-0, '0'],
  [5e-324, '5e-324'],
  [1.7976931348623157e308, '1.7976931348623157e+308'],
  [9007199254740992, '9007199254740992'],
  [295147905179352830000, '295147905179352830000'],
  [1e23, '1e+23'],
  [0.000001, '0.000001'],
  [333333333.33333325, '333333333.33333325'],
])('the number %d is written as in RFC 8785 appendix B', (number, text) => {
  expect(canonicalJson(number)).toBe(text);
});

test('any JSON value comes back whole, and the order of its members plays no part', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(canonicalJson(reversed(JSON.parse(text)))).toBe(text);
    }),
  );
});

test('any text is quoted as ECMAScript quotes it, which is what RFC 8785 asks for', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 150 }), (text) => {
      expect(canonicalJson(text)).toBe(JSON.stringify(text));
      expect(canonicalJson({ [text]: 1 })).toBe(`{${JSON.stringify(text)}:1}`);
    }),
    { numRuns: 2000 },
  );
  for (let unit = 0; unit < 0x10000; unit++) {
    const text = String.fromCharCode(unit);
    expect(canonicalJson(text)).toBe(JSON.stringify(text.toWellFormed()));
  }
});

test('a lone surrogate, which an agent can send, becomes U+FFFD instead of a failure', () => {
  expect(canonicalJson({ a: 'x\ud800y' })).toBe('{"a":"x\ufffdy"}');
});

test('bytes are never written out, whatever holds them', () => {
  const bytes = Buffer.from('FAKE-secret');
  for (const value of [bytes, new Uint8Array(bytes), bytes.buffer, new DataView(new ArrayBuffer(4))]) {
    expect(canonicalJson({ value })).toBe('{"value":"[bytes]"}');
  }
  expect(canonicalJson({ value: new SecretBytes(bytes) })).toBe('{"value":"[secret]"}');
});

test('members without a value are left out', () => {
  expect(canonicalJson({ a: undefined, b: 1 })).toBe('{"b":1}');
});

test.each([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['a bigint', 1n],
  ['a function', () => {}],
  ['undefined in an array', [undefined]],
  ['a Map', new Map([['a', 1]])],
  ['an Error', new Error('x')],
])('%s is a programmer’s mistake', (_, value) => {
  expect(() => canonicalJson({ value })).toThrow(TypeError);
});

test('a value nested without end is refused, not followed', () => {
  const loop: { self?: unknown } = {};
  loop.self = loop;
  expect(() => canonicalJson(loop)).toThrow(/nested too deeply/);
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, reversed(member)]),
  );
}
