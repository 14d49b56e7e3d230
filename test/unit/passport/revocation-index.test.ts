import { expect, test } from 'vitest';
import { type Revocable, RevocationIndex } from '../../../src/passport/revocation-index.ts';

const passport: Revocable = {
  subject: {
    tenant: 'default',
    agentId: 'agent_a',
    owner: 'owner_a',
    user: null,
    sid: 'sid_a',
    chain: ['hop_a'],
  },
  jti: 'jti_a',
  issuedAt: 1_000,
  ancestors: ['agent_parent'],
  credential: null,
  kid: 'key_a',
};

const revoked = (kind: 'hop' | 'agent' | 'token', value: string) => ({
  tenant: 'default',
  kind,
  value,
  id: 'rev_a',
  revokedAt: 2_000,
  expiresAt: null,
  reason: 'a test',
  by: 'admin',
});

test('a passport that was found clean is hit by whatever is revoked after that', () => {
  for (const [kind, value] of [
    ['hop', 'hop_a'],
    ['agent', 'agent_parent'],
    ['token', 'jti_a'],
  ] as const) {
    const index = new RevocationIndex();
    expect(index.find(passport)).toBeNull();
    expect(index.find(passport)).toBeNull();
    index.apply(revoked('token', 'another'));
    expect(index.find(passport)).toBeNull();
    index.apply(revoked(kind, value));
    expect(index.find(passport)).toBe(kind);
    expect(index.find(passport)).toBe(kind);
  }
});
