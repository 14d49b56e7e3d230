import fc from 'fast-check';
import { expect, it } from 'vitest';
import { selfOverlaps } from '../../../src/vault/repetition.ts';

it('counts as many beginnings under way at once as a plain search does', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 24 }), (text) => {
      let most = 0;
      for (let end = 1; end <= text.length; end++) {
        const read = text.slice(0, end);
        let live = 0;
        for (let length = 1; length <= end; length++) if (read.endsWith(text.slice(0, length))) live++;
        most = Math.max(most, live);
      }
      expect(selfOverlaps(Buffer.from(text))).toBe(most);
    }),
  );
});

it('tells repetitions from random values', () => {
  expect(selfOverlaps(Buffer.alloc(16_384, 'ab'))).toBe(8192);
  expect(selfOverlaps(crypto.getRandomValues(new Uint8Array(16_384)))).toBeLessThan(6);
});
