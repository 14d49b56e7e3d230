import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import { describe, expect, test } from 'vitest';
import { sha256 } from '../../../src/passport/index.ts';
import { jwkThumbprint, keyFits, ProofFault, parsePublicJwk } from '../../../src/proof/index.ts';

/** RFC 7638 section 3.1. */
const RFC_7638 = {
  kty: 'RSA',
  n: '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
  e: 'AQAB',
  alg: 'RS256',
  kid: '2011-04-29',
};

/** RFC 8037 appendix A.3. */
const RFC_8037 = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };

describe('JWK thumbprints', () => {
  test('are those of RFC 7638 and RFC 8037', async () => {
    expect(await jwkThumbprint(parsePublicJwk(RFC_7638), sha256)).toBe(
      'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs',
    );
    expect(await jwkThumbprint(parsePublicJwk(RFC_8037), sha256)).toBe(
      'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
    );
  });

  test.each(['ES256', 'ES384', 'ES512', 'EdDSA', 'PS256'])('agree with jose for a key of %s', async (alg) => {
    const { publicKey } = await generateKeyPair(alg, { extractable: true });
    const jwk = await exportJWK(publicKey);
    const mine = parsePublicJwk(JSON.parse(JSON.stringify(jwk)));
    expect(await jwkThumbprint(mine, sha256)).toBe(await calculateJwkThumbprint(jwk));
  });
});

describe('public keys', () => {
  test('fit only the algorithm that they are declared for', () => {
    const key = parsePublicJwk(RFC_7638);
    expect(keyFits(key, 'RS256')).toBe(true);
    expect(keyFits(key, 'PS256')).toBe(false);
    expect(keyFits(key, 'ES256')).toBe(false);
  });

  test.each([
    ['a private part', { ...RFC_8037, d: 'AAAA' }],
    ['an empty private part', { ...RFC_8037, d: null }],
    ['another use', { ...RFC_8037, use: 'enc' }],
    ['operations without verify', { ...RFC_8037, key_ops: ['sign'] }],
    ['a short coordinate', { ...RFC_8037, x: 'AAAA' }],
    ['padding', { ...RFC_8037, x: `${RFC_8037.x}=` }],
    ['another curve', { ...RFC_8037, crv: 'Ed448' }],
    ['an algorithm of another type', { ...RFC_8037, alg: 'ES256' }],
    ['an algorithm that is not offered', { ...RFC_8037, alg: 'HS256' }],
    ['an even exponent', { ...RFC_7638, e: 'AQAC' }],
    ['the exponent 1', { ...RFC_7638, e: 'AQ' }],
    ['an exponent of zeros before', { ...RFC_7638, e: 'AAEAAQ' }],
    ['a modulus of zeros before', { ...RFC_7638, n: `AAAA${RFC_7638.n}` }],
    ['a kid that is a number', { ...RFC_8037, kid: 1 }],
    ['no type', { crv: 'Ed25519', x: RFC_8037.x }],
  ])('with %s are refused', (_what, jwk) => {
    expect(() => parsePublicJwk(jwk)).toThrow(ProofFault);
  });
});
