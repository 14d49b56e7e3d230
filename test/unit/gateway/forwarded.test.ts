import { expect, it } from 'vitest';
import { cameThroughProxy } from '../../../src/gateway/ingress/forwarded.ts';

it('a proxy shows itself by any of its fields, in any case of letters', () => {
  for (const name of [
    'Via',
    'Forwarded',
    'X-Forwarded-For',
    'x-forwarded-proto',
    'X-REAL-IP',
    'x-forwarded-host',
  ]) {
    expect(
      cameThroughProxy([
        ['host', 'gate.test'],
        [name, ''],
      ]),
      name,
    ).toBe(true);
  }
  expect(
    cameThroughProxy([
      ['host', 'gate.test'],
      ['viaduct', 'x'],
      ['x-forwarded', 'x'],
    ]),
  ).toBe(false);
});
