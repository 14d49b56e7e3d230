import { type Clock, type JsonObject, toSeconds } from '../../core/index.ts';
import { type AskedGrant, askedFromJson } from '../grants/asked-grant.ts';
import type { GrantRequest } from '../grants/grant.ts';
import { issuePassport } from '../grants/issue-passport.ts';
import type { Signer } from '../grants/signing.ts';
import type { Issuing, Within } from '../issuing.ts';
import { resourceOf } from '../metadata.ts';
import { OAuthFault } from '../oauth-fault.ts';
import { credentialOf } from '../pepper.ts';
import type { PersonGrantRoom } from './person-grants.ts';
import type { RefreshTokens } from './refresh-token.ts';
import type { DeviceRequestStore, PersonGrantRecord, PersonGrantStore } from './store.ts';
import type { Turns } from './turns.ts';

/** What the grants need in which a person let an agent act. */
export interface ForPersonOptions {
  readonly tenant: string;
  readonly issuer: string;
  readonly lifetimeSeconds: number;
  readonly store: PersonGrantStore;
  readonly devices: DeviceRequestStore;
  readonly room: PersonGrantRoom;
  readonly refreshTokens: RefreshTokens;
  readonly turns: Turns;
  readonly issuing: Issuing;
  readonly signer: Signer;
  readonly clock: Clock;
  /** Null: there is no such user, or none who may sign in. */
  readonly findUser: (id: string) => Promise<{ readonly id: string; readonly name: string } | null>;
  /** Keyed hash of a code. */
  readonly hashOf: (label: 'authorization-code' | 'device-code', code: string) => string;
}

/** Another request was faster, or it ended in this moment. */
class Overtaken extends Error {}

/**
 * The first passport of a grant, and a refresh token where the person let it run for longer. The caller has checked
 * that whoever asks is the one that it was given to. `what`: the thing that was shown for it, which is good once.
 */
export async function fetchGrant(
  request: GrantRequest,
  grant: PersonGrantRecord,
  o: ForPersonOptions & { readonly what: string; readonly grantName: string },
): Promise<JsonObject> {
  if (grant.status !== 'given') {
    await o.room.reused(grant, o.what);
    throw invalid(o.what);
  }
  const { client, proof } = request;
  const now = o.clock.now();
  if (grant.expiresAt <= now) throw invalid(o.what);
  const refresh = grant.lifetimeMs === 0 ? null : o.refreshTokens.make(grant, 0);
  const until = grant.lifetimeMs === 0 ? now + o.lifetimeSeconds * 1000 : grant.createdAt + grant.lifetimeMs;
  const to = {
    boundTo: client.by.kind === 'public' ? (proof?.jkt ?? proof?.x5t ?? null) : null,
    credential: credentialOf(client.by),
    refreshHash: refresh?.hash ?? null,
    expiresAt: until,
  };
  const issued = await issueFor(request, grant, {
    ...o,
    scope: grant.scope,
    until,
    also: async ({ personGrants }, moment) => {
      if (!(await personGrants.fetch(grant, to, moment))) throw new Overtaken();
    },
  }).catch((cause: unknown) => overtaken(cause, grant, o));
  return refresh === null ? issued : { ...issued, refresh_token: refresh.token };
}

/** One of the passports of a grant: at most what the person allowed, in the name of somebody who may still sign in. */
export async function issueFor(
  request: GrantRequest,
  grant: PersonGrantRecord,
  o: ForPersonOptions & {
    readonly grantName: string;
    readonly scope: string;
    /** No passport outlives it (ms). */
    readonly until: number;
    readonly also: Within;
  },
): Promise<JsonObject> {
  const { userId, hop, agentId, audience } = grant;
  const resource = request.form.one('resource');
  if (resource !== null && resourceOf(resource, [audience]) === null) {
    throw new OAuthFault('invalid_target', 'the person was asked for another resource');
  }
  if ((await o.findUser(userId)) === null)
    throw new OAuthFault('invalid_grant', 'the person may not sign in any more');
  const scopes = await o.issuing.admit(agentId, o.scope, null, userId);
  const held = askedFromJson(grant.asked);
  const asked = within(request.asked, held);
  const iat = toSeconds(o.clock.now());
  const exp = Math.min(
    iat + Math.min(o.lifetimeSeconds, asked.lifetimeSeconds ?? o.lifetimeSeconds),
    Math.floor(o.until / 1000),
  );
  if (exp <= iat) throw new OAuthFault('invalid_grant', 'nothing of its lifetime is left');
  return issuePassport(o, request, {
    iat,
    exp,
    scope: scopes.join(' '),
    audience,
    grant: o.grantName,
    asked,
    parent: null,
    person: { userId, hop, held: held.details },
    sub: userId,
    once: [],
    also: o.also,
  });
}

/** What this request asks for, at most what the person was asked for. */
function within(asked: AskedGrant, held: AskedGrant): AskedGrant {
  if (held.mayAct !== null && asked.mayAct !== null && asked.mayAct !== held.mayAct) {
    throw new OAuthFault('invalid_request', 'may_act is not the one that the person was asked for');
  }
  return {
    // Whether they lie within the person's is checked where budgets are counted.
    details: asked.details,
    mayAct: asked.mayAct ?? held.mayAct,
    maxDepth: least(asked.maxDepth, held.maxDepth),
    lifetimeSeconds: least(asked.lifetimeSeconds, held.lifetimeSeconds),
  };
}

function least(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}

/** Whoever was faster may have been a thief: it ends for both. */
export async function overtaken(
  cause: unknown,
  grant: PersonGrantRecord,
  o: ForPersonOptions & { readonly what: string },
): Promise<never> {
  if (!(cause instanceof Overtaken)) throw cause;
  const found = await o.store.get(o.tenant, grant.id);
  const wasFetched = grant.status === 'given' && found?.status === 'active';
  if (found !== null && (wasFetched || found.refreshSerial > grant.refreshSerial)) {
    await o.room.reused(found, o.what);
  }
  throw invalid(o.what);
}

export { Overtaken };

export function invalid(what: string): OAuthFault {
  return new OAuthFault('invalid_grant', `there is no such ${what} for this client, or it is over`);
}
