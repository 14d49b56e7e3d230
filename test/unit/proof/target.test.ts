import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normalizeTarget } from '../../../src/proof/index.ts';

describe('targets of a proof', () => {
  test.each([
    ['https://GATE.example:443/a?b#c', 'https://gate.example/a'],
    ['http://gate.example:80/a', 'http://gate.example/a'],
    ['https://gate.example', 'https://gate.example/'],
    ['https://gate.example/s/npm/@scope%2Fname', 'https://gate.example/s/npm/@scope%2Fname'],
  ])('%s is %s', (given, expected) => {
    expect(normalizeTarget('GET', given)).toBe(expected);
  });

  test.each([
    'https://gate.example@evil.example/',
    'https://user:pass@gate.example/',
    'https://@gate.example/',
    'https:@gate.example/',
    'https:user@gate.example/',
    'https://gate.example\\@evil.example/',
    'https://gate.example/a b',
    'https:\n//gate.example/',
    'ftp://gate.example/',
    'javascript:alert(1)',
    '/a',
    '//gate.example/a',
    '',
  ])('%j names none', (given) => {
    expect(normalizeTarget('GET', given)).toBeNull();
  });

  test('of CONNECT are authorities, in any case of letters', () => {
    expect(normalizeTarget('CONNECT', 'API.github.com:443')).toBe('api.github.com:443');
    expect(normalizeTarget('CONNECT', '[2001:db8::1]:443')).toBe('[2001:db8::1]:443');
    for (const given of ['api.github.com', 'https://api.github.com:443', 'a@b:443', 'a:443/', '']) {
      expect(normalizeTarget('CONNECT', given), given).toBeNull();
    }
  });

  test('are answered for any text, without an exception', () => {
    fc.assert(
      fc.property(fc.constantFrom('GET', 'CONNECT'), fc.oneof(fc.string(), fc.webUrl()), (htm, htu) => {
        const target = normalizeTarget(htm, htu);
        if (target !== null) expect(normalizeTarget(htm, target)).toBe(target);
      }),
    );
  });
});
