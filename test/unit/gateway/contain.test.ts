import { describe, expect, it } from 'vitest';
import type { Containment } from '../../../src/core/index.ts';
import { containment } from '../../../src/gateway/contain.ts';

const subject = {
  tenant: 'default',
  agentId: 'agent_1',
  owner: 'ana',
  user: 'bea' as string | null,
  sid: 'sid_1',
  chain: ['hop_1'],
};

async function asked(containments: readonly Containment[], overrides: object = {}) {
  const asked: string[] = [];
  const contain = containment({
    revoke: async (request) => {
      asked.push(`${request.kind} ${request.value}`);
      expect(request).toMatchObject({ tenant: 'default', by: 'detector', reason: 'why' });
      return { ...request, id: 'revocation_1', revokedAt: 0, expiresAt: null };
    },
  });
  const passport = { subject, jti: 'jti_1', credential: 'kid_1', ...overrides };
  const findings = await contain(passport as unknown as Parameters<typeof contain>[0], containments, 'why');
  expect(findings).toHaveLength(containments.length);
  return asked;
}

describe('what a verdict asks for beyond its call', () => {
  it.each([
    ['quarantine-agent', 'agent agent_1'],
    ['quarantine-user', 'user bea'],
    ['revoke-key', 'credential agent_1/kid_1'],
    ['revoke-passport', 'token jti_1'],
    ['revoke-session', 'session sid_1'],
  ] as const)('%s is the revocation of %s', async (one, revocation) => {
    expect(await asked([one])).toEqual([revocation]);
  });

  it('falls upon the session where there is no user or no named key', async () => {
    expect(await asked(['quarantine-user'], { subject: { ...subject, user: null } })).toEqual([
      'session sid_1',
    ]);
    expect(await asked(['revoke-key'], { credential: null })).toEqual(['session sid_1']);
  });

  it('fails the call when it can not be written down', async () => {
    const contain = containment({ revoke: () => Promise.reject(new Error('disk')) });
    const passport = { subject, jti: 'jti_1', credential: null };
    await expect(
      contain(passport as unknown as Parameters<typeof contain>[0], ['revoke-session'], 'why'),
    ).rejects.toThrow('disk');
  });
});
