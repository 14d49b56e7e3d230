import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeBase64url, encodeBase64url } from '../../../src/proof/index.ts';

describe('base64url', () => {
  test('encodes as Node does, and decodes what it encoded', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const text = encodeBase64url(bytes);
        expect(text).toBe(Buffer.from(bytes).toString('base64url'));
        expect(decodeBase64url(text)).toEqual(bytes);
      }),
    );
  });

  test('of all texts takes only the canonical one for its bytes', () => {
    const text = fc.string({ unit: fc.constantFrom(...'AQgw_-+/=. \n09az'), maxLength: 12 });
    fc.assert(
      fc.property(fc.oneof(text, fc.string()), (given) => {
        const bytes = decodeBase64url(given);
        const canonical = Buffer.from(given, 'base64url').toString('base64url') === given;
        expect(bytes !== null).toBe(canonical);
      }),
      { numRuns: 2000 },
    );
  });

  test.each(['A', 'AA=', 'AB', 'AAB', 'AA AA', 'AA\n', '+/+/', 'é', 'AAA\u0000'])('refuses %j', (text) => {
    expect(decodeBase64url(text)).toBeNull();
  });
});
