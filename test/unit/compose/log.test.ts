import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type LogFields, makeLogger } from '../../../src/compose/log.ts';
import { redact } from '../../../src/compose/redact.ts';
import { SecretBytes } from '../../../src/core/index.ts';

function capture(format: 'json' | 'text' = 'json') {
  let text = '';
  const out = {
    write(line: string) {
      text += line;
    },
  };
  return { log: makeLogger({ level: 'debug', format, out, node: 'node-1' }), text: () => text };
}

it('a line holds the known fields alone, whatever else it is given', () => {
  const { log, text } = capture();
  const request = { headers: { authorization: 'Bearer abc' }, callId: 'call_1', status: 200, body: 'hello' };
  // @ts-expect-error: a value with other members does not compile
  log.write('info', 'A call was answered.', request);
  // @ts-expect-error: neither does a secret
  log.write('info', 'A call was answered.', { callId: SecretBytes.fromUtf8('abc') });
  const sentence = `built ${request.body}`;
  // @ts-expect-error: neither does a sentence that was put together
  log.write('info', sentence);
  const [first = '', second = ''] = text().split('\n');
  expect(JSON.parse(first)).toEqual({
    level: 'info',
    time: expect.any(String),
    node: 'node-1',
    callId: 'call_1',
    status: 200,
    message: 'A call was answered.',
  });
  expect(JSON.parse(second)).not.toHaveProperty('callId');
});

it('no shape of a secret gets through the second net', () => {
  const piece = fc.string({ maxLength: 20 });
  const secret = fc.constantFrom<() => string>(
    () =>
      `eyJ${randomBytes(20).toString('base64url')}.eyJ${randomBytes(40).toString('base64url')}.${randomBytes(64).toString('base64url')}`,
    () => `sp_admin_${randomBytes(24).toString('base64url')}`,
    () => `whsec_${randomBytes(24).toString('base64')}`,
    () => randomBytes(32).toString('hex'),
    () => randomBytes(32).toString('base64url'),
  );
  fc.assert(
    fc.property(piece, secret, piece, (before, make, after) => {
      const value = make();
      const { log, text } = capture();
      for (const shown of [
        `${before} ${value} ${after}`,
        `Bearer ${value}`,
        `password=${value}`,
        `https://user:${value}@host/`,
      ]) {
        log.write('error', 'Something failed.', { fault: new Error(shown) });
        log.write('error', 'Something failed.', { service: shown });
      }
      expect(text()).not.toContain(value);
      expect(text().trim().split('\n')).toHaveLength(8);
    }),
    { numRuns: 60 },
  );
});

it('leaves what people need: names of files, sentences, ids', () => {
  for (const kept of [
    'KeyFileError: /srv/sallyport/keys/root.key can be read or changed by others (mode 0644); run: chmod 600 /srv/sallyport/keys/root.key',
    'connect ECONNREFUSED 127.0.0.1:5432',
    'call_0ln8t1c2xk3v9w2q7r5m1n8b4c',
  ]) {
    expect(redact(kept)).toBe(kept);
  }
});

it('nobody writes lines of his own: control characters become spaces', () => {
  const { log, text } = capture('text');
  const fields: LogFields = { fault: new Error('a\nwarn forged\u001b[2J\u2028b') };
  log.write('warn', 'Something failed.', fields);
  expect(text()).toMatch(/^\d\d:\d\d:\d\d warn Something failed\. fault="Error: a warn forged \[2J b"\n$/);
});
