import type { AuditEvent, AuditEventType } from '../core/index.ts';

/** Every type of event and when it is written; the compiler keeps it complete. */
export const EVENT_TYPES: Readonly<Record<AuditEventType, string>> = {
  'call.permitted': 'A call was permitted. Durable before the credential is opened.',
  'call.refused': 'The gate said no to a call.',
  'refusals.counted': 'More requests without a passport were refused than are recorded one by one.',
  'call.completed': 'The service answered and the answer went to the agent.',
  'call.failed': 'A permitted call did not end well: unreachable, cut, malformed.',
  'observe.recorded': 'A host reported an instruction, a call or a result to the detector.',
  'passport.issued': 'The issuer gave out a passport.',
  'passport.refused': 'The issuer refused a passport.',
  'passport.revoked': 'A passport, session, agent, owner or user was revoked.',
  'agent.registered': 'An agent was registered.',
  'agent.updated': 'An agent was changed, or its secret was rotated.',
  'agent.deleted': 'An agent was removed.',
  'agent.quarantined': 'An agent was quarantined.',
  'agent.released': 'An agent was released from quarantine.',
  'service.put': 'A service was added or changed.',
  'service.deleted': 'A service was removed.',
  'credential.put': 'A credential was put in.',
  'credential.rotated': 'A credential got a new secret.',
  'credential.revoked': 'A credential was revoked.',
  'credential.deleted': 'A credential was forgotten.',
  'decoy.planted': 'A decoy was planted.',
  'decoy.deleted': 'A decoy was taken away.',
  'sink.put': 'A sink for alerts was added.',
  'sink.deleted': 'A sink was removed.',
  'sink.rotated': 'A sink got a new signing secret.',
  'sink.enabled': 'A disabled sink was put to use again.',
  'sink.disabled': 'A sink was disabled, by an administrator or because its endpoint answered 410 Gone.',
  'sink.tested': 'An administrator sent a test alert to a sink.',
  'admin_token.created': 'An admin token was made.',
  'admin_token.deleted': 'An admin token was removed.',
  'initial_token.created': 'A token was made with which agents register themselves.',
  'initial_token.deleted': 'A token with which agents register themselves was deleted.',
  'user.added': 'A user was added, with a link to choose how to sign in.',
  'user.updated': 'How a user signs in was reset or changed.',
  'user.disabled': 'A user was disabled and signed out; what agents held in their name ended.',
  'user.enabled': 'A disabled user may sign in again.',
  'user.removed': 'A user was removed; what agents held in their name ended.',
  'user.enrolled': 'A user chose a password or a passkey by a link.',
  'user.signed_in': 'A user signed in.',
  'user.signed_out': 'A user signed out.',
  'user.confirmed': 'A user showed, by password, passkey or provider, to be there for one approval.',
  'user.refused': 'Somebody could not sign in.',
  'grant.given': 'A user let an agent act in their name.',
  'grant.refused': 'A user refused what an agent asked for.',
  'grant.ended':
    'What a user let an agent do has ended: by the user, an administrator, or a token that was used twice.',
  'admin.refused': 'The admin API said no.',
  'ca.exported': 'The certificate of an interception authority was handed out.',
  'ca.issued': 'An interception authority was made.',
  'key.rotated': 'A key of the gate was replaced.',
  'backup.made': 'The database was copied for a backup.',
  'approval.requested': 'A call waits for a person.',
  'approval.half_approved': 'The first of two people approved a held call; it waits for the other one.',
  'approval.approved': 'A person approved a held call.',
  'approval.denied': 'A person denied a held call.',
  'approval.used': 'An approval was used up by its call.',
  'policy.loaded': 'A set of policies came into force.',
  'rules.loaded': 'Detection rules came into force after a change.',
  'rules.rejected': 'Detection rules were broken; the ones before stay in force.',
  'policy.rejected': 'A set of policies was broken; the one before stays in force.',
  'alert.raised': 'Findings are worth a person’s time.',
  'alert.abandoned': 'An alert could not be delivered to a sink and is no longer tried.',
  'gate.started': 'The gate started.',
  'gate.stopped': 'The gate stopped in an orderly way.',
  'tls.loaded': 'A listener shows a certificate: at the start, or a new one.',
  'tls.rejected': 'A new certificate or key was broken; the pair before stays in force.',
  'audit.recovered': 'The log was opened after a crash; an unfinished last line was moved aside.',
};

const TYPES: ReadonlySet<string> = new Set(Object.keys(EVENT_TYPES));

/** Whether a value read from the log has the envelope of an event: known type, tenant, time, data. */
export function isAuditEvent(value: unknown): value is AuditEvent {
  if (typeof value !== 'object' || value === null) return false;
  if (!('type' in value && 'tenant' in value && 'at' in value && 'data' in value)) return false;
  return (
    typeof value.type === 'string' &&
    TYPES.has(value.type) &&
    typeof value.tenant === 'string' &&
    typeof value.at === 'number' &&
    typeof value.data === 'object' &&
    value.data !== null
  );
}
