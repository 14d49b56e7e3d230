import { createHash, X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { SecretBytes } from '../../../src/core/index.ts';
import { makeLeafKey } from '../../../src/gateway/ca/certificate-authority.ts';
import { SessionAuthorities } from '../../../src/gateway/ca/session-authorities.ts';
import type { VerifiedPassport } from '../../../src/passport/index.ts';

const passportOf = (sid: string, tenant = 'default') =>
  ({ subject: { tenant, sid } }) as unknown as VerifiedPassport;

/** The authorities of one start of the gate, over one root key. */
const start = (root: string) =>
  new SessionAuthorities({
    clock: { now: () => Date.now() },
    deriveKey: (names) =>
      new SecretBytes(
        createHash('sha256')
          .update(JSON.stringify([root, names]))
          .digest(),
      ),
  });

const keyOf = (pem: string) => new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'pem' });

test('a session keeps its key through a restart and a change of its hosts, and shares it with nobody', async () => {
  const first = await start('root').issue(passportOf('one'), ['a.example']);
  const second = await start('root').issue(passportOf('one'), ['a.example', 'b.example']);
  expect(keyOf(second.certificatePem)).toBe(keyOf(first.certificatePem));
  expect([...second.hosts]).toEqual(['a.example', 'b.example']);
  const others = [
    await start('root').issue(passportOf('two'), ['a.example']),
    await start('root').issue(passportOf('one', 'other'), ['a.example']),
    await start('other root').issue(passportOf('one'), ['a.example']),
  ];
  const keys = new Set([first, ...others].map(({ certificatePem }) => keyOf(certificatePem)));
  expect(keys.size).toBe(4);
});

test('who trusts the certificate from before takes a leaf from after', async () => {
  const before = new X509Certificate(
    (await start('root').issue(passportOf('one'), ['a.example'])).certificatePem,
  );
  const after = await start('root').issue(passportOf('one'), ['a.example', 'b.example']);
  const { chainPem } = await after.issueLeaf('a.example', await makeLeafKey(), Date.now());
  const leaf = new X509Certificate(chainPem);
  expect(leaf.checkIssued(before)).toBe(true);
  expect(leaf.verify(before.publicKey)).toBe(true);
});
