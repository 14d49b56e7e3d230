import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProofFault, parseCompactJws, parseDpopProof, verifyAccessToken } from '../../../src/proof/index.ts';

const encode = (text: string) => Buffer.from(text).toString('base64url');

describe('hostile text', () => {
  const part = fc.oneof(fc.json().map(encode), fc.string({ maxLength: 40 }), fc.base64String());
  const token = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(part, { maxLength: 6 }).map((parts) => parts.join('.')),
    fc
      .tuple(fc.dictionary(fc.string(), fc.json()), part, part)
      .map(([header, payload, signature]) =>
        [encode(JSON.stringify({ alg: 'ES256', typ: 'dpop+jwt', ...header })), payload, signature].join('.'),
      ),
  );

  test('is refused with a ProofFault as a token and as a proof, never with another error', async () => {
    await fc.assert(
      fc.asyncProperty(token, async (text) => {
        expect(() => parseDpopProof(text)).toThrow(ProofFault);
        await expect(
          verifyAccessToken(text, {
            issuer: 'https://issuer.example',
            audience: 'https://gate.example',
            algorithms: new Set(['ES256']),
            findKey: () => null,
            verifySignature: () => true,
          }),
        ).rejects.toBeInstanceOf(ProofFault);
      }),
      { numRuns: 1000 },
    );
  });

  test('beyond the size limit is refused before it is decoded', () => {
    const algorithms = new Set(['ES256'] as const);
    expect(() => parseCompactJws('A'.repeat(101), { maxChars: 100, algorithms })).toThrow('too long');
  });

  test('of a DPoP proof needs its type, a public key in the header, and an offered algorithm', () => {
    const make = (header: object) => `${encode(JSON.stringify(header))}.${encode('{}')}.AAAA`;
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };
    expect(parseDpopProof(make({ alg: 'EdDSA', typ: 'dpop+jwt', jwk })).key.kty).toBe('OKP');
    for (const header of [
      { alg: 'EdDSA', typ: 'jwt', jwk },
      { alg: 'EdDSA', typ: 'dpop+jwt' },
      { alg: 'ES384', typ: 'dpop+jwt', jwk },
      { alg: 'EdDSA', typ: 'dpop+jwt', jwk, crit: [] },
      { alg: 'EdDSA', typ: 'dpop+jwt', jwk, b64: true },
    ]) {
      expect(() => parseDpopProof(make(header)), JSON.stringify(header)).toThrow(ProofFault);
    }
  });
});
