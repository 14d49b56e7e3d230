import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EVENT_TYPES, verifyAuditLog } from '../../../src/audit/index.ts';
import { type AuditEvent, SecretBytes } from '../../../src/core/index.ts';
import { SAMPLE_EVENTS } from './samples.ts';
import { openLog, publicKey, temporaryFolder } from './support.ts';

/** Every way to put `secret` in the place of one member, at any depth. */
function* withSecret(value: unknown, secret: unknown): Generator<unknown> {
  yield secret;
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      for (const changed of withSecret(item, secret)) yield value.with(index, changed);
    }
    yield [...value, secret];
    return;
  }
  for (const [name, member] of Object.entries(value)) {
    for (const changed of withSecret(member, secret)) yield { ...value, [name]: changed };
  }
  yield { ...value, added: secret };
}

test('there is a sample of every type of event', () => {
  expect(SAMPLE_EVENTS.map(({ type }) => type).sort()).toEqual(Object.keys(EVENT_TYPES).sort());
});

test('a secret in any place of any event stands in the file as [secret], and bytes as [bytes]', async () => {
  const directory = temporaryFolder();
  const log = await openLog(directory, { durability: 'process' });
  const plain = `FAKE-${randomBytes(24).toString('hex')}`;
  const secrets = [SecretBytes.fromUtf8(plain), Buffer.from(plain), new TextEncoder().encode(plain)];
  let written = 0;
  for (const secret of secrets) {
    const appended: Promise<unknown>[] = [];
    for (const event of SAMPLE_EVENTS) {
      for (const data of withSecret(event.data, secret)) {
        // What the types forbid, and a careless caller could still do.
        appended.push(log.append({ ...event, data } as AuditEvent));
      }
    }
    await Promise.all(appended);
    written += appended.length;
  }
  await log.close();
  const text = readFileSync(join(directory, '0000000000000001.jsonl'), 'utf8');
  const lines = text.trimEnd().split('\n');
  expect(lines.length).toBe(written);
  expect(written).toBeGreaterThan(500);
  for (const line of lines) expect(line).toMatch(/"\[(?:secret|bytes)\]"/);
  for (const form of [
    plain,
    Buffer.from(plain).toString('base64').slice(0, 30),
    Buffer.from(plain).toString('hex'),
    [...Buffer.from(plain)].slice(0, 8).join(','),
  ]) {
    expect(text.includes(form)).toBe(false);
  }
});

test('every sample can be written and verified', async () => {
  const directory = temporaryFolder();
  const log = await openLog(directory);
  await Promise.all(SAMPLE_EVENTS.map((event) => log.append(event)));
  await log.close();
  expect(await verifyAuditLog({ directory, publicKey })).toMatchObject({
    ok: true,
    records: SAMPLE_EVENTS.length,
  });
});
