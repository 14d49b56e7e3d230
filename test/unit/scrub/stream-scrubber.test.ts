import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileNeedles, MASK, StreamScrubber } from '../../../src/gateway/scrub/index.ts';
import { bytesOf, fakeSecret, scrubSplit } from './support.ts';

const cuts = fc.array(fc.nat(5000), { maxLength: 20 });

/** Encodings that a promise stands for, as an upstream would write them. */
const ENCODINGS: Readonly<Record<string, (secret: string) => Buffer>> = {
  raw: (secret) => bytesOf(secret),
  base64: (secret) => bytesOf(bytesOf(secret).toString('base64')),
  'base64, one byte on': (secret) => bytesOf(bytesOf(`x${secret}yz`).toString('base64')),
  'base64url, two bytes on': (secret) => bytesOf(bytesOf(`xx${secret}yz`).toString('base64url')),
  hex: (secret) => bytesOf(bytesOf(secret).toString('hex')),
  'upper-case hex': (secret) => bytesOf(bytesOf(secret).toString('hex').toUpperCase()),
  percent: (secret) => bytesOf(encodeURIComponent(secret)),
  'percent twice': (secret) => bytesOf(encodeURIComponent(encodeURIComponent(secret))),
  JSON: (secret) => bytesOf(JSON.stringify(secret)),
  'JSON in JSON': (secret) => bytesOf(JSON.stringify(JSON.stringify(secret))),
  'UTF-16': (secret) => Buffer.from(secret, 'utf16le'),
  'big-endian UTF-16': (secret) => Buffer.from(secret, 'utf16le').swap16(),
  HTML: (secret) => bytesOf(Array.from(secret, (one) => `&#${one.codePointAt(0)};`).join('')),
};

const secrets = fc
  .string({ unit: 'grapheme', minLength: 12, maxLength: 40 })
  .filter((secret) => new Set(secret).size > 5 && secret.isWellFormed());

describe('StreamScrubber', () => {
  it.each(Object.entries(ENCODINGS))('lets no secret through in %s, at any split', (_name, encode) => {
    fc.assert(
      fc.property(secrets, fc.string(), cuts, (secret, text, at) => {
        const form = encode(secret);
        const data = Buffer.concat([bytesOf(text), form, bytesOf('\n'), form, bytesOf(text)]);
        const needles = compileNeedles([bytesOf(secret)]);
        const split = scrubSplit(needles, data, at);
        const whole = scrubSplit(needles, data, []);
        expect(split.output.equals(whole.output)).toBe(true);
        expect(split.output.length).toBe(data.length);
        expect(split.output.includes(form)).toBe(false);
        expect(split.hits).toBe(whole.hits);
        expect(split.hits).toBeGreaterThanOrEqual(2);
      }),
      { numRuns: 40 },
    );
  });

  it('changes no byte of a clean body, at any split', () => {
    const needles = compileNeedles([bytesOf(fakeSecret()), bytesOf('fake-password-1')]);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), cuts, (data, at) => {
        const { output, hits } = scrubSplit(needles, data, at);
        expect(output.equals(data)).toBe(true);
        expect(hits).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it('holds back the beginning of a secret alone, and nothing of a clean event', () => {
    const secret = 'fake-0123456789abcdef';
    const scrubber = new StreamScrubber(compileNeedles([bytesOf(secret)]));
    for (let event = 0; event < 1000; event++) {
      const data = bytesOf(`data: {"n":${event}}\n\n`);
      expect(scrubber.push(data)).toBe(data);
      expect(scrubber.heldBytes).toBe(0);
    }
    scrubber.push(bytesOf('data: fake-0123'));
    expect(scrubber.heldBytes).toBe('fake-0123'.length);
    expect(Buffer.from(scrubber.push(bytesOf('x'))).toString()).toBe('fake-0123x');
    expect(scrubber.heldBytes).toBe(0);
  });

  it('never holds back more than the longest beginning of a form at the end of the data', () => {
    const secret = 'aabaabaabbab-fake';
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 60 }), (data) => {
        const scrubber = new StreamScrubber(compileNeedles([bytesOf(secret)]));
        for (const byte of bytesOf(data)) scrubber.push(Uint8Array.of(byte));
        let longest = 0;
        for (let length = 1; length < secret.length; length++) {
          if (data.endsWith(secret.slice(0, length))) longest = length;
        }
        expect(scrubber.heldBytes).toBe(longest);
      }),
      { numRuns: 200 },
    );
  });

  it('masks in the width of what it covers', () => {
    const scrub = (secret: string) =>
      scrubSplit(compileNeedles([bytesOf(secret)]), bytesOf(`"${secret}"`), []).output.toString();
    expect(scrub('fake-secret-of-26-letters!')).toBe(`"${MASK}******"`);
    expect(scrub('fake-secret-x')).toBe('"[redacted]***"');
    expect(scrub('fake-key')).toBe('"********"');
  });

  it('masks two secrets without anything between them as two, and overlapping ones as one', () => {
    const one = 'fake-secret-0123456789';
    const twice = scrubSplit(compileNeedles([bytesOf(one)]), bytesOf(one + one), [3, 25]);
    expect(twice.output.toString()).toBe(`${MASK}**${MASK}**`);
    expect(twice.hits).toBe(2);
    const inner = scrubSplit(
      compileNeedles([bytesOf(one), bytesOf(one.slice(5, 15))]),
      bytesOf(one),
      [8, 17],
    );
    expect(inner.output.toString()).toBe(`${MASK}**`);
    expect(inner.hits).toBe(1);
  });

  it('leaves nothing of a secret that overlaps itself, where the next one begins inside the last', () => {
    const secret = 'abcabcabcab-abcabcabcab';
    const data = `${secret}${secret.slice(11)}`;
    for (let at = 0; at <= data.length; at++) {
      const { output } = scrubSplit(compileNeedles([bytesOf(secret)]), bytesOf(data), [at]);
      expect(output.toString()).toBe(MASK.padEnd(data.length, '*'));
    }
    const periodic = 'ababababab';
    const run = 'ab'.repeat(20);
    for (let at = 0; at <= run.length; at++) {
      const { output } = scrubSplit(compileNeedles([bytesOf(periodic)]), bytesOf(run), [at]);
      expect(output.toString()).not.toContain('ab');
    }
  });

  it('masks a secret that is cut off by the end of the body', () => {
    const secret = 'fake-0123456789abcdefghij';
    for (let length = 1; length < secret.length; length++) {
      const data = bytesOf(`{"token":"${secret.slice(0, length)}`);
      const { output } = scrubSplit(compileNeedles([bytesOf(secret)]), data, [length]);
      expect(output.includes(secret.slice(0, length))).toBe(length < 12);
      expect(output.length).toBe(data.length);
    }
  });

  it('keeps JSON text JSON', () => {
    fc.assert(
      fc.property(secrets, (secret) => {
        const data = bytesOf(JSON.stringify({ [secret]: [secret, { nested: JSON.stringify({ secret }) }] }));
        const { output } = scrubSplit(compileNeedles([bytesOf(secret)]), data, []);
        expect(() => JSON.parse(output.toString())).not.toThrow();
      }),
      { numRuns: 200 },
    );
  });

  it('does not write into the chunks that it is given', () => {
    const secret = fakeSecret();
    const data = bytesOf(`<${secret}>`);
    const before = Buffer.from(data);
    new StreamScrubber(compileNeedles([bytesOf(secret)])).push(data);
    expect(data.equals(before)).toBe(true);
  });

  it('takes nothing after its end', () => {
    const scrubber = new StreamScrubber(compileNeedles([]));
    scrubber.end();
    expect(scrubber.end()).toHaveLength(0);
    expect(() => scrubber.push(bytesOf('more'))).toThrow(TypeError);
  });
});
