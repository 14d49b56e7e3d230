import type { Containment, Finding, RevocationKind } from '../core/index.ts';
import type { Revocations, VerifiedPassport } from '../passport/index.ts';

/** Who stands in the log as the one who did it. */
const BY = 'detector';

export type Contain = (
  passport: VerifiedPassport,
  containments: readonly Containment[],
  reason: string,
) => Promise<readonly Finding[]>;

/**
 * Carries out what a verdict asks for beyond its call. The detector itself changes nothing, so that recorded sessions
 * can be replayed at will; here every step is a revocation like an administrator's: durable, audited, and effective at
 * once on every node. The findings tell what was done.
 */
export function containment(revocations: Pick<Revocations, 'revoke'>): Contain {
  return async (passport, containments, reason) => {
    const done: Finding[] = [];
    for (const containment of containments) {
      const { kind, value, title } = targetOf(containment, passport);
      await revocations.revoke({ tenant: passport.subject.tenant, kind, value, by: BY, reason });
      done.push({
        check: `contained.${containment}`,
        title,
        severity: 'critical',
        score: 0,
        evidence: `${kind} ${value}: ${reason}`,
        references: ['OWASP-ASI:ASI10'],
      });
    }
    return done;
  };
}

interface Target {
  readonly kind: RevocationKind;
  readonly value: string;
  readonly title: string;
}

/** Where there is no user or no named key, the session takes its place: something must happen. */
function targetOf(containment: Containment, { subject, jti, credential }: VerifiedPassport): Target {
  const session: Target = { kind: 'session', value: subject.sid, title: 'The session was revoked' };
  switch (containment) {
    case 'quarantine-agent':
      return { kind: 'agent', value: subject.agentId, title: 'The agent was quarantined' };
    case 'quarantine-user':
      if (subject.user === null) return session;
      return { kind: 'user', value: subject.user, title: 'All passports of the user were revoked' };
    case 'revoke-key':
      if (credential === null) return session;
      return {
        kind: 'credential',
        value: `${subject.agentId}/${credential}`,
        title: 'The key of the agent was revoked',
      };
    case 'revoke-passport':
      return { kind: 'token', value: jti, title: 'The passport and all that was made from it were revoked' };
    case 'revoke-session':
      return session;
  }
}
