import { format, inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { SecretBytes } from '../../../src/core/index.ts';

const TEXT = `fake-${'q'.repeat(20)}`;

describe('SecretBytes', () => {
  it('is printed by nothing', () => {
    const secret = SecretBytes.fromUtf8(TEXT);
    const nested = {
      list: [secret],
      map: new Map([['k', secret]]),
      error: new Error('x', { cause: secret }),
    };
    const printed = [
      `${secret}`,
      String(secret),
      ['', secret].join(''),
      JSON.stringify({ secret, nested }),
      inspect(nested, { depth: 9, showHidden: true }),
      format('%s %o %j %O', secret, secret, secret, nested),
      inspect(Object.getOwnPropertyDescriptors(secret)),
      JSON.stringify(structuredClone({ keys: Object.keys(secret) })),
    ].join('\n');
    expect(printed).toContain('[secret]');
    expect(printed).not.toContain(TEXT);
    expect(printed).not.toContain(Buffer.from(TEXT).toString('hex').slice(0, 12));
    expect(printed).not.toContain(Buffer.from(TEXT).join(',').slice(0, 12));
  });

  it('lends its bytes, and after it was wiped says what to do', () => {
    const bytes = Buffer.from(TEXT);
    const secret = new SecretBytes(bytes);
    expect(secret.use((lent) => Buffer.from(lent).toString())).toBe(TEXT);
    secret.wipe();
    expect(bytes.every((byte) => byte === 0)).toBe(true);
    expect(() => secret.use(() => 1)).toThrow(/open the credential again/);
    expect(() => secret.length).toThrow(TypeError);
  });

  it('is wiped at the end of its block', () => {
    const bytes = Buffer.from(TEXT);
    {
      using secret = new SecretBytes(bytes);
      expect(secret.length).toBe(TEXT.length);
    }
    expect(bytes.every((byte) => byte === 0)).toBe(true);
  });
});
