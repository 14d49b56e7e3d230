import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileNeedles, LIMITS, type NeedleHit } from '../../../src/core/index.ts';

const bytesOf = (text: string) => Buffer.from(text, 'utf8');

/** All hits of `data`, fed in pieces of `size` bytes. */
function find(secrets: readonly string[], data: string | Uint8Array, size = 1_000_000): NeedleHit[] {
  const matcher = compileNeedles(secrets.map(bytesOf)).matcher();
  const bytes = typeof data === 'string' ? bytesOf(data) : data;
  const hits: NeedleHit[] = [];
  for (let at = 0; at < bytes.length; at += size) hits.push(...matcher.push(bytes.subarray(at, at + size)));
  return hits.concat(matcher.end());
}

/** Secrets as people have them: printable, now and then with other letters and control bytes. */
const secrets = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'abcAB01+/=_-."\\&%<> '), minLength: 8, maxLength: 40 }),
  fc.string({ unit: 'binary', minLength: 8, maxLength: 30 }),
);

/** The oracle: where `secret` stands in `data`, by the simplest search there is. */
function occurrences(data: Buffer, secret: Buffer): string[] {
  const found: string[] = [];
  for (let at = data.indexOf(secret); at >= 0; at = data.indexOf(secret, at + 1)) {
    found.push(`${at}-${at + secret.length}`);
  }
  return found;
}

describe('NeedleMatcher', () => {
  it('finds every raw occurrence that a plain search finds, overlapping ones too, at any split', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 8, maxLength: 12 }),
        fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 200 }),
        fc.integer({ min: 1, max: 20 }),
        (secret, filler, size) => {
          const data = bytesOf(`${filler}${secret}${filler}`);
          const hits = find([secret], data, size).map(({ start, end }) => `${start}-${end}`);
          for (const occurrence of occurrences(data, bytesOf(secret))) expect(hits).toContain(occurrence);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('gives the same hits however the data is split', () => {
    fc.assert(
      fc.property(
        secrets,
        fc.string({ maxLength: 60 }),
        fc.integer({ min: 1, max: 9 }),
        (secret, text, size) => {
          const data = `${text}${secret}${encodeURIComponent(secret.toWellFormed())}${secret}${text}`;
          expect(find([secret.toWellFormed()], data, size)).toEqual(find([secret.toWellFormed()], data));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('never claims that more than the longest beginning of a form may be under way', () => {
    const secret = 'fake-0123456789';
    const matcher = compileNeedles([bytesOf(secret)]).matcher();
    const depths = [...secret.slice(0, -1)].map((character) => {
      matcher.push(bytesOf(character));
      return matcher.depth;
    });
    expect(depths).toEqual(depths.map((_, at) => at + 1));
    matcher.push(bytesOf('!'));
    expect(matcher.depth).toBe(0);
  });

  it('falls back to the longest beginning that is left, not to nothing', () => {
    expect(find(['ababababc'], 'abababababababc').map(({ start, end }) => [start, end])).toContainEqual([
      6, 15,
    ]);
  });

  it('tells which of several secrets it found, one inside the other too', () => {
    const found = find(['inner-secret', 'an-inner-secret-outside'], 'see an-inner-secret-outside');
    expect(new Set(found.map(({ secret }) => secret))).toEqual(new Set([0, 1]));
  });

  it('reads mixed spellings of one text', () => {
    const mixed = 'f%61k\\u0065-&#x53;e\\\\u0063r&#101;=74';
    expect(find(['fake-Secret'], mixed)).toEqual([{ start: 0, end: mixed.length, secret: 0 }]);
  });

  it('takes the whole of an escape whose first character is a spelling by itself', () => {
    const written = JSON.stringify('fake-secret\\');
    const [first, second] = find(['fake-secret\\'], written);
    expect([first?.end, second?.end]).toEqual([written.length - 2, written.length - 1]);
  });

  it('finds base64 that is wrapped, and hex that is spaced', () => {
    const secret = 'fake-secret-of-some-length';
    const wrapped = Buffer.from(`before ${secret}`)
      .toString('base64')
      .replaceAll(/(.{7})/g, '$1\r\n');
    expect(find([secret], wrapped)).toHaveLength(1);
    expect(
      find(
        [secret],
        bytesOf(secret)
          .toString('hex')
          .replaceAll(/(..)(?=.)/g, '$1:'),
      ),
    ).toHaveLength(1);
  });

  it('does not touch a secret in which one character is another', () => {
    const secret = 'fake-4f9c2b7e1d';
    for (let at = 0; at < secret.length; at++) {
      const other = `${secret.slice(0, at)}~${secret.slice(at + 1)}`;
      expect(find([secret], `<${other}>`)).toEqual([]);
      expect(find([secret], `<${bytesOf(other).toString('hex')}>`)).toEqual([]);
    }
  });

  it('counts a long beginning at the very end as the secret, and a short one not', () => {
    const secret = 'ghp_0123456789abcdefghijklmnopqrstuv';
    const cut = (length: number) => find([secret], `{"token":"${secret.slice(0, length)}`);
    expect(cut(11)).toEqual([]);
    expect(cut(12)).toEqual([{ start: 10, end: 22, secret: 0 }]);
    expect(cut(secret.length - 1)).toHaveLength(1);
    expect(find(['K7fakeK7'], 'x K7fake')).toEqual([]);
    expect(find(['K7fakeK7'], 'x K7fakeK')).toHaveLength(1);
  });

  it('also counts the beginning of an encoded secret at the end', () => {
    const secret = 'fake-0123456789abcdefghij';
    for (const form of [
      bytesOf(secret).toString('base64'),
      bytesOf(secret).toString('hex'),
      Buffer.from(secret, 'utf16le').toString('latin1'),
    ]) {
      const data = Buffer.from(`..${form.slice(0, form.length - 3)}`, 'latin1');
      expect(find([secret], data)).not.toEqual([]);
    }
  });

  it('takes secrets that are no UTF-8', () => {
    const secret = Buffer.from('00ff80fe01c328a0a1', 'hex');
    const matcher = compileNeedles([secret]).matcher();
    expect(matcher.push(Buffer.concat([Buffer.from('..'), secret]))).toHaveLength(1);
    expect(
      compileNeedles([secret])
        .matcher()
        .push(bytesOf(secret.toString('base64'))),
    ).toHaveLength(1);
  });

  it('keeps working when hostile data makes it drop its rows', () => {
    const secret = Buffer.from('fake-&quot;-\\-%41-secret-0123456789').toString('base64');
    const needles = compileNeedles([bytesOf(secret), bytesOf('another-fake-secret')]);
    const writings = [
      (character: string) => character,
      (character: string) => `%${bytesOf(character).toString('hex')}`,
      (character: string) => `&#${character.charCodeAt(0)};`,
      (character: string) => `\\u00${bytesOf(character).toString('hex')}`,
    ];
    const waiting = needles.matcher();
    waiting.push(bytesOf('another-fake-'));
    const matcher = needles.matcher();
    let seed = 1;
    for (let round = 0; round < 300; round++) {
      const written = Array.from(secret, (character) => {
        seed = (seed * 1103515245 + 12345) % 2147483648;
        return writings[(seed >> 8) % writings.length]?.(character) ?? '';
      });
      expect(matcher.push(bytesOf(written.join('')))).not.toEqual([]);
    }
    expect(waiting.push(bytesOf('secret'))).toHaveLength(1);
  });
});

describe('compileNeedles', () => {
  it('refuses secrets that are too short or too long', () => {
    expect(() => compileNeedles([Buffer.alloc(LIMITS.secretMinBytes - 1, 'x')])).toThrow(TypeError);
    expect(() => compileNeedles([Buffer.alloc(LIMITS.secretMaxBytes + 1, 'x')])).toThrow(TypeError);
  });

  it('keeps its own copy: the caller may wipe the secret', () => {
    const secret = bytesOf('fake-secret-0123');
    const forms = ['hex', 'base64', 'utf8'] as const;
    const written = forms.map((form) => secret.toString(form));
    const needles = compileNeedles([secret]);
    secret.fill(0);
    for (const form of written) expect(needles.matcher().push(bytesOf(form))).not.toEqual([]);
  });

  it('takes the longest secret, and no secret at all', () => {
    const long = Buffer.from(Array.from({ length: LIMITS.secretMaxBytes }, (_, at) => 33 + ((at * at) % 90)));
    expect(compileNeedles([long]).matcher().push(long).length).toBeGreaterThan(0);
    expect(compileNeedles([]).matcher().push(long)).toEqual([]);
  });
});
