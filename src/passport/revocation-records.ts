import type { ApprovalRecord, ApprovalsOf } from '../approvals/index.ts';
import { newId, Refusal, type RevocationKind } from '../core/index.ts';
import type { PassportStores } from './options.ts';
import type { Pepper } from './pepper.ts';
import type { GrantsOf, PersonGrantRecord } from './person-grants/store.ts';
import { quarantineAll } from './quarantine.ts';
import { LONGEST_LIFETIME_SECONDS } from './signing-keys.ts';
import type { AgentRecord, PassportRecord, RevocationRecord } from './store.ts';

export interface RevocationRequest {
  readonly tenant: string;
  readonly kind: RevocationKind;
  /** jti, hop id, sid, agent id, owner, user, `<agent id>/<kid or secret id>`, or kid of a signing key. */
  readonly value: string;
  readonly by: string;
  readonly reason: string | null;
}

/** What one request comes to. The first record is the one that was asked for; the others follow from it. */
export interface Written {
  readonly records: readonly [RevocationRecord, ...RevocationRecord[]];
  /** Agents that were quarantined, or lost a credential, with it. */
  readonly agents: readonly AgentRecord[];
  /** Approvals that were asked for or given before, and open nothing any more. */
  readonly approvals: readonly ApprovalRecord[];
  /** What people had given, and is over. */
  readonly grants: readonly PersonGrantRecord[];
}

interface Tools {
  readonly stores: PassportStores;
  readonly pepper: Pepper;
  readonly now: number;
}

const PAGE = 500;

/** Writes all of a revocation in the transaction that `stores` are of. Throws Refusal: not_found, conflict. */
export async function writeRevocation(request: RevocationRequest, tools: Tools): Promise<Written> {
  const { stores } = tools;
  const first = record(request, tools);
  const { others, changed } = await consequences(first, tools);
  const quarantined = await quarantineAll(first, stores);
  // An owner is not named in what its agents passed on to agents of others; the agents are.
  const ofOwner = first.kind === 'owner' ? quarantined.map(({ id }) => also(first, 'agent', id, tools)) : [];
  const records = [first, ...others, ...ofOwner] as const;
  for (const one of records) await stores.revocations.insert(one);
  return {
    records,
    agents: [...changed, ...quarantined],
    approvals: await endApprovals(records, stores),
    grants: await endGrants(records, stores),
  };
}

/** Denies what was asked for or approved before, in the transaction that `stores` are of. */
export async function endApprovals(
  records: readonly [RevocationRecord, ...RevocationRecord[]],
  stores: PassportStores,
): Promise<readonly ApprovalRecord[]> {
  const [{ kind, value, by, revokedAt }] = records;
  const reason = `revoked with ${kind} ${value}`;
  const ended: ApprovalRecord[] = [];
  for (const record of records) {
    const approvals = approvalsOf(record);
    if (approvals !== null) ended.push(...(await stores.approvals.end(approvals, { by, reason }, revokedAt)));
  }
  return ended;
}

/** Ends what people had given: else an agent would renew in the next moment what was taken from it. */
export async function endGrants(
  records: readonly [RevocationRecord, ...RevocationRecord[]],
  stores: PassportStores,
): Promise<readonly PersonGrantRecord[]> {
  const [{ kind, value, by, reason, revokedAt }] = records;
  const why = { by, reason: reason ?? `revoked with ${kind} ${value}` };
  const ended: PersonGrantRecord[] = [];
  for (const record of records) {
    const grants = grantsOf(record);
    if (grants !== null) ended.push(...(await stores.personGrants.end(grants, why, revokedAt)));
  }
  return ended;
}

function grantsOf({ tenant, kind, value }: RevocationRecord): GrantsOf | null {
  switch (kind) {
    case 'agent':
    case 'owner':
    case 'user':
    case 'session':
    case 'hop':
      return { tenant, kind, value };
    case 'credential': {
      const [agentId = '', ...credential] = value.split('/');
      return { tenant, kind, agentId, value: credential.join('/') };
    }
    case 'token':
      // Its hop follows.
      return null;
    case 'key':
      // It signs passports, and nothing by which they are renewed.
      return null;
  }
}

/** A yes from before is no yes for what comes after: else the next passport of the session would go on with it. */
function approvalsOf({ tenant, kind, value }: RevocationRecord): ApprovalsOf | null {
  switch (kind) {
    case 'agent':
    case 'owner':
    case 'user':
    case 'session':
    case 'hop':
      return { tenant, kind, value };
    case 'key':
      // Who has the key could ask in anybody's name.
      return { tenant, kind: 'everything', value };
    case 'token':
    case 'credential':
      // The hop of the one and the session of the other follow.
      return null;
  }
}

async function consequences(
  first: RevocationRecord,
  tools: Tools,
): Promise<{ readonly others: RevocationRecord[]; readonly changed: AgentRecord[] }> {
  const { tenant, kind, value } = first;
  const { stores } = tools;
  switch (kind) {
    case 'token': {
      const passport = await stores.passports.get(tenant, value);
      if (passport === null) throw new Refusal('not_found', { detail: 'No passport has this jti.' });
      // What was exchanged from it has its rights from it.
      const hop = passport.chain.at(-1);
      return { others: hop === undefined ? [] : [also(first, 'hop', hop, tools)], changed: [] };
    }
    case 'agent':
      if ((await stores.agents.get(tenant, value)) === null) {
        throw new Refusal('not_found', { detail: 'No agent has this id.' });
      }
      return { others: [], changed: [] };
    case 'credential':
      return endCredential(first, tools);
    case 'hop':
    case 'session':
    case 'owner':
    case 'user':
    case 'key':
      return { others: [], changed: [] };
  }
}

/** Takes a key or secret from its agent, and ends its session and all that it got by exchange. */
async function endCredential(
  first: RevocationRecord,
  tools: Tools,
): Promise<{ readonly others: RevocationRecord[]; readonly changed: AgentRecord[] }> {
  const { stores, pepper, now } = tools;
  const [id = '', ...rest] = first.value.split('/');
  const credential = rest.join('/');
  const agent = await stores.agents.get(first.tenant, id);
  const isKey = agent?.jwks.some(({ kid }) => kid === credential) === true;
  const isSecret = agent?.secrets.some((secret) => secret.id === credential) === true;
  const isCertificate = agent?.certificates.some(({ x5t }) => x5t === credential) === true;
  if (agent === null || agent.status === 'deleted' || !(isKey || isSecret || isCertificate)) {
    throw new Refusal('not_found', {
      detail: 'No agent has this key, secret or certificate: name it <agent id>/<kid>.',
    });
  }
  const changed: AgentRecord = {
    ...agent,
    jwks: agent.jwks.filter(({ kid }) => kid !== credential),
    secrets: agent.secrets.filter((secret) => secret.id !== credential),
    certificates: agent.certificates.filter(({ x5t }) => x5t !== credential),
    updatedAt: now,
    revision: agent.revision + 1,
  };
  if (!(await stores.agents.update(changed))) throw new Refusal('conflict');
  const kind = isSecret ? 'secret' : 'certificate';
  const by = isKey ? ({ kind: 'key', kid: credential } as const) : ({ kind, id: credential } as const);
  const hops = (await livePassports(agent, tools))
    .filter((passport) => passport.parent !== null && passport.credential === credential)
    .flatMap(({ chain }) => chain.slice(-1));
  const others = [
    also(first, 'session', pepper.sessionOf(agent, by), tools),
    ...hops.map((hop) => also(first, 'hop', hop, tools)),
  ];
  return { others, changed: [changed] };
}

async function livePassports({ tenant, id }: AgentRecord, { stores, now }: Tools): Promise<PassportRecord[]> {
  const found: PassportRecord[] = [];
  for (let after: string | null = null; ; ) {
    const page: PassportRecord[] = await stores.passports.list(tenant, {
      agentId: id,
      liveAt: now,
      after,
      limit: PAGE,
    });
    found.push(...page);
    if (page.length < PAGE) return found;
    after = page.at(-1)?.jti ?? null;
  }
}

function record(request: RevocationRequest, { now }: Tools): RevocationRecord {
  const { tenant, kind, value, by, reason } = request;
  const expiresAt = expiryOf(kind, now);
  return { tenant, kind, value, by, reason, id: newId('revocation', now), revokedAt: now, expiresAt };
}

function also(first: RevocationRecord, kind: RevocationKind, value: string, tools: Tools): RevocationRecord {
  const { tenant, by } = first;
  return record({ tenant, kind, value, by, reason: `follows from ${first.kind} ${first.value}` }, tools);
}

/** When all that a revocation covers has expired; null: never. */
function expiryOf(kind: RevocationKind, now: number): number | null {
  switch (kind) {
    case 'token':
    case 'hop':
    case 'agent':
    case 'owner':
    case 'user':
      return now + (LONGEST_LIFETIME_SECONDS + 60) * 1000;
    case 'session':
    case 'credential':
    case 'key':
      // They outlive their passports: the same key would open the session again.
      return null;
  }
}
