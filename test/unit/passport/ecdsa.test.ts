import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { derOf, rawOf } from '../../../src/passport/ecdsa.ts';

const CURVES = [
  ['P-256', 32, 'sha256'],
  ['P-384', 48, 'sha384'],
  ['P-521', 66, 'sha512'],
] as const;

describe('a signature of ECDSA', () => {
  it.each(CURVES)('is the same for OpenSSL and for Node, in both shapes: %s', (namedCurve, size, hash) => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
    const plain = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const;
    // Often enough that numbers with and without a highest bit, and with leading zeros, are among them.
    for (let at = 0; at < 300; at++) {
      const data = Buffer.from(`text ${at}`);
      const made = sign(hash, data, privateKey);
      const raw = rawOf(made, size);
      expect(verify(hash, data, plain, raw)).toBe(true);
      expect(Buffer.from(derOf(raw, size) ?? [])).toEqual(made);
      raw[raw.length - 1] = (raw.at(-1) ?? 0) ^ 1;
      expect(verify(hash, data, publicKey, derOf(raw, size) ?? Buffer.alloc(0))).toBe(false);
    }
  });

  it.each([
    ['zeros', new Uint8Array(64), '3006020100020100'],
    ['a leading zero', Uint8Array.of(...new Uint8Array(31), 7, ...new Uint8Array(31), 9), '3006020107020109'],
    [
      'a highest bit',
      Uint8Array.of(...new Uint8Array(31), 0x80, ...new Uint8Array(31), 0xff),
      '300802020080020200ff',
    ],
  ])('has integers as short as they can be: %s', (_, raw, der) => {
    expect(Buffer.from(derOf(raw, 32) ?? []).toString('hex')).toBe(der);
    expect(new Uint8Array(rawOf(Buffer.from(der, 'hex'), 32))).toEqual(raw);
  });

  it.each([0, 63, 65, 96])('of another curve has no shape of this one: %d bytes', (bytes) => {
    expect(derOf(new Uint8Array(bytes), 32)).toBeNull();
  });

  it('is refused where it is none', () => {
    expect(() => rawOf(Buffer.from('3006030107020109', 'hex'), 32)).toThrow(TypeError);
    expect(() => rawOf(Buffer.from('300802020101020109', 'hex'), 1)).toThrow(TypeError);
  });
});
