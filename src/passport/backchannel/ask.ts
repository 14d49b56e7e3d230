import { randomBytes } from 'node:crypto';
import { type ApprovalRecord, type Approvals, approvalDigest } from '../../approvals/index.ts';
import type { Clock, Subject, UnitOfWork } from '../../core/index.ts';
import { type Endpoint, type EndpointRequest, formOf } from '../endpoint.ts';
import { type AskedGrant, askedToJson, readAskedGrant } from '../grants/asked-grant.ts';
import type { AuthenticatedClient } from '../grants/client-authenticator.ts';
import type { Authenticate } from '../grants/grant.ts';
import { useOnce } from '../grants/once.ts';
import type { TokenForm } from '../grants/token-form.ts';
import type { Issuing } from '../issuing.ts';
import { PATHS, resourceOf } from '../metadata.ts';
import { OAuthFault, tooManyRequests } from '../oauth-fault.ts';
import type { PassportStores } from '../options.ts';
import { credentialOf, type Pepper } from '../pepper.ts';
import { withoutHabits } from '../scope-choice.ts';
import type { BackchannelOptions, BackchannelUser } from './backchannel.ts';
import { type Pinger, readNotificationToken } from './ping.ts';
import type { BackchannelRecord, BackchannelStore } from './store.ts';

export const INTERVAL_MS = 5_000;
/** Longer than an approval is good for once it was given; until then the agent is told what became of it. */
const KEPT_MS = 10 * 60_000;
/** So many questions of one agent in one lifetime: a person who is asked all day says yes in the end. */
const MOST_WAITING = 10;
const MESSAGE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,100}$/u;
const HINT_CHARS = 256;
const ID_BYTES = 32;

export interface AskOptions {
  readonly tenant: string;
  readonly audiences: readonly string[];
  readonly backchannel: BackchannelOptions;
  readonly store: BackchannelStore;
  readonly unitOfWork: UnitOfWork<PassportStores>;
  readonly issuing: Issuing;
  readonly pepper: Pepper;
  readonly pinger: Pinger;
  readonly authenticate: Authenticate;
  readonly clock: Clock;
}

/**
 * The backchannel authentication endpoint (OpenID CIBA Core 1.0 section 7): an agent asks for a passport in a person's
 * name, and somebody decides elsewhere. Throws OAuthFault.
 */
export function backchannelEndpoint(o: AskOptions): Endpoint {
  return {
    path: new RegExp(`^${PATHS.backchannel}$`),
    methods: ['POST'],
    takesClients: true,
    answer: async (request) => {
      const form = formOf(request);
      const client = await o.authenticate(form, shownBy(request));
      const user = await readUser(form, o);
      const asked = readAskedGrant(form);
      const wanted = {
        scope: await readScope(form, client, user, o),
        audience: readAudience(form, o),
        message: readMessage(form),
        lifetimeMs: readLifetime(form, o.backchannel.approvals),
        notification: readNotificationToken(form, o.backchannel.notificationUrlOf(client.agent.name)),
      };
      const id = randomBytes(ID_BYTES).toString('base64url');
      await ask(id, { client, user, asked, ...wanted }, o);
      const expires_in = Math.floor(wanted.lifetimeMs / 1000);
      return { status: 200, body: { auth_req_id: id, expires_in, interval: INTERVAL_MS / 1000 } };
    },
  };
}

interface Question {
  readonly client: AuthenticatedClient;
  readonly user: BackchannelUser;
  readonly asked: AskedGrant;
  readonly scope: string;
  readonly audience: string;
  readonly message: string | null;
  readonly lifetimeMs: number;
  /** Null: the agent polls. */
  readonly notification: string | null;
}

/** Question, approval and used-up assertion are one change: nothing is half-asked. */
async function ask(id: string, question: Question, o: AskOptions): Promise<void> {
  const { tenant, pepper, clock, store, backchannel } = o;
  const { client, user, scope, audience, asked, lifetimeMs, notification } = question;
  const { agent } = client;
  const now = clock.now();
  if ((await store.countSince(tenant, agent.id, now - lifetimeMs)) >= MOST_WAITING) {
    throw tooManyRequests(INTERVAL_MS);
  }
  const idHash = pepper.hashToken('auth-req-id', [tenant, id]);
  const sid = pepper.sessionFor(agent, user.id);
  const subject: Subject = {
    tenant,
    agentId: agent.id,
    owner: agent.owner,
    user: user.id,
    sid,
    chain: [],
  };
  const grant = askedToJson(asked);
  const binding = {
    ...{ kind: 'passport' as const, tenant, sid, agentId: agent.id, user: user.id },
    ...{ request: idHash, scope, audience, asked: grant, approvers: backchannel.approvers },
  };
  const draft = backchannel.approvals.draft({ subject, binding, shown: shownOf(question), lifetimeMs });
  const record: BackchannelRecord = {
    ...{ tenant, idHash, approvalId: draft.id, agentId: agent.id, userId: user.id, scope, audience, sid },
    credential: credentialOf(client.by),
    asked: grant,
    callDigest: approvalDigest(binding),
    notify: notification === null ? null : o.pinger.seal({ id, token: notification }),
    intervalMs: INTERVAL_MS,
    polledAt: null,
    createdAt: now,
    expiresAt: now + lifetimeMs + KEPT_MS,
  };
  await o.unitOfWork.run(async (stores) => {
    await useOnce(stores, now, client.once);
    await client.within?.(stores, now);
    await stores.approvals.insertOrGet(draft, now);
    await stores.backchannel.insert(record);
  });
  await backchannel.approvals.recordRequest(draft);
}

/** What a person is shown. The message is the agent's own words, and stands as such. */
function shownOf({ client, user, asked, scope, audience, message }: Question): ApprovalRecord['shown'] {
  const { agent } = client;
  return {
    kind: 'passport',
    agent: agent.name,
    agentId: agent.id,
    owner: agent.owner,
    user: user.name,
    purpose: agent.purpose,
    reason: 'The agent asks for a passport in this person’s name.',
    messageOfAgent: message,
    scope,
    audience,
    ...askedToJson(asked),
  };
}

/** Exactly one hint (section 7.1), and it names a user. */
async function readUser(form: TokenForm, o: AskOptions): Promise<BackchannelUser> {
  const hint = form.one('login_hint');
  if (form.has('login_hint_token') || form.has('id_token_hint') || hint === null) {
    throw new OAuthFault('invalid_request', 'name the person by login_hint, and by nothing else');
  }
  const user = hint.length > HINT_CHARS ? null : await o.backchannel.findUser(hint);
  if (user === null) throw new OAuthFault('unknown_user_id', 'there is no such user');
  return user;
}

async function readScope(
  form: TokenForm,
  { agent }: AuthenticatedClient,
  user: BackchannelUser,
  o: AskOptions,
): Promise<string> {
  const wanted = withoutHabits(form.one('scope'));
  return (await o.issuing.admit(agent.id, wanted, null, user.id)).join(' ');
}

function readAudience(form: TokenForm, { audiences }: AskOptions): string {
  const resource = form.one('resource');
  const audience = resource === null ? audiences[0] : resourceOf(resource, audiences);
  if (audience == null)
    throw new OAuthFault('invalid_target', 'the resource is not one that passports are for');
  return audience;
}

function readMessage(form: TokenForm): string | null {
  const message = form.one('binding_message');
  if (message !== null && !MESSAGE.test(message)) {
    throw new OAuthFault(
      'invalid_binding_message',
      'the binding_message is one line of at most 100 characters',
    );
  }
  return message;
}

function readLifetime(form: TokenForm, { lifetimeMs }: Approvals): number {
  const text = form.one('requested_expiry');
  if (text === null) return lifetimeMs;
  if (!/^[1-9][0-9]{0,8}$/.test(text)) {
    throw new OAuthFault('invalid_request', 'requested_expiry is a number of seconds');
  }
  return Math.min(Number(text) * 1000, lifetimeMs);
}

function shownBy({ headers }: EndpointRequest): Parameters<Authenticate>[1] {
  return { authorization: headers.authorization, certificate: null, onClaimed: () => {} };
}
