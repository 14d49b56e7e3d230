import type { ApprovalRecord } from '../../approvals/index.ts';
import { type Clock, newId, Refusal, toSeconds } from '../../core/index.ts';
import { askedFromJson } from '../grants/asked-grant.ts';
import type { Grant, GrantRequest } from '../grants/grant.ts';
import { issuePassport } from '../grants/issue-passport.ts';
import type { Signer } from '../grants/signing.ts';
import type { Issuing } from '../issuing.ts';
import { OAuthFault } from '../oauth-fault.ts';
import { credentialOf, type Pepper } from '../pepper.ts';
import { INTERVAL_MS } from './ask.ts';
import type { BackchannelOptions } from './backchannel.ts';
import type { BackchannelRecord, BackchannelStore } from './store.ts';

export const CIBA = 'urn:openid:params:grant-type:ciba';

export interface RedeemOptions {
  readonly tenant: string;
  readonly issuer: string;
  readonly lifetimeSeconds: number;
  readonly backchannel: BackchannelOptions;
  readonly store: BackchannelStore;
  readonly issuing: Issuing;
  readonly signer: Signer;
  readonly pepper: Pepper;
  readonly clock: Clock;
}

/**
 * The passport that a person was asked for (OpenID CIBA Core 1.0 section 10): exactly what was shown, once, to the key
 * that asked. The approval is used up in the transaction that issues.
 */
export function backchannelGrant(o: RedeemOptions): Grant {
  return async (request) => {
    const record = await findRecord(request, o);
    const approval = await o.backchannel.approvals.get(o.tenant, record.approvalId);
    if (approval === null) throw invalid();
    await assertApproved(approval, record, o);
    const { scope, audience, userId } = record;
    if ((await o.backchannel.findUser(userId)) === null) throw denied('the person may not sign in any more');
    // What the agent is registered for may have shrunk while the person thought.
    await o.issuing.admit(record.agentId, scope, null, userId);
    const iat = toSeconds(o.clock.now());
    const asked = askedFromJson(record.asked);
    const key = { tenant: o.tenant, id: approval.id, digest: record.callDigest };
    const issued = await issuePassport(o, request, {
      iat,
      exp: iat + Math.min(o.lifetimeSeconds, asked.lifetimeSeconds ?? o.lifetimeSeconds),
      scope,
      audience,
      grant: 'ciba',
      asked,
      parent: null,
      person: { userId, hop: newId('hop', o.clock.now()) },
      sub: userId,
      once: [],
      also: async (stores) => {
        await o.backchannel.approvals.useWithin(stores.approvals, key).catch(usedUp);
      },
    });
    await o.backchannel.approvals.recordUse(key);
    return issued;
  };
}

/** One of this agent, asked for with this key; whether another one has such an id is nobody's to know. */
async function findRecord({ form, client }: GrantRequest, o: RedeemOptions): Promise<BackchannelRecord> {
  const idHash = o.pepper.hashToken('auth-req-id', [o.tenant, form.required('auth_req_id')]);
  const record = await o.store.get(o.tenant, idHash);
  const isOwn = record?.agentId === client.agent.id && record.credential === credentialOf(client.by);
  if (record === null || !isOwn) throw invalid();
  return record;
}

async function assertApproved(
  approval: ApprovalRecord,
  record: BackchannelRecord,
  o: RedeemOptions,
): Promise<void> {
  const now = o.clock.now();
  switch (approval.status) {
    case 'denied':
      throw denied(approval.reason ?? 'the person said no');
    case 'used':
      throw invalid();
    case 'pending':
    case 'approved':
      if (approval.expiresAt <= now) throw new OAuthFault('expired_token', 'the auth_req_id has expired');
  }
  if (approval.status === 'approved') return;
  if (!(await o.store.poll(record, now, INTERVAL_MS))) {
    throw new OAuthFault('slow_down', 'ask less often: five seconds more between two requests');
  }
  throw new OAuthFault('authorization_pending', 'nobody has decided yet');
}

/** Of twenty at once one has it; for the others it is as if it had never been. */
function usedUp(cause: unknown): never {
  throw cause instanceof Refusal ? invalid(cause) : cause;
}

function invalid(cause?: unknown): OAuthFault {
  return new OAuthFault('invalid_grant', 'there is no such auth_req_id for this client', { cause });
}

function denied(why: string): OAuthFault {
  return new OAuthFault('access_denied', why);
}
