import { setTimeout as pause } from 'node:timers/promises';
import type { RequestHandler } from 'express';
import { LIMITS, NO_RISK, RateLimiter } from '../core/index.ts';
import type { Page } from '../people/index.ts';
import { AgentDirectory } from './agent-directory.ts';
import { Challenges } from './agent-passport/challenges.ts';
import { agentPassportEndpoints } from './agent-passport/endpoints.ts';
import type { Agents } from './agent-view.ts';
import { AgentRegistry } from './agents.ts';
import { backchannelEndpoint } from './backchannel/ask.ts';
import { Pinger } from './backchannel/ping.ts';
import { CallCounter } from './call-counter.ts';
import { ClientDocuments } from './client-documents/client-documents.ts';
import type { FetchDocument } from './client-documents/document-rule.ts';
import { DEVICE_KEPT_MS } from './consent/device-endpoint.ts';
import { type Consent, openConsent } from './consent/open-consent.ts';
import type { DelegationPolicy } from './delegation-policy.ts';
import type { Endpoint } from './endpoint.ts';
import { InitialTokenRoom, type InitialTokens } from './enrol/initial-tokens.ts';
import { registrationEndpoints } from './enrol/registration-endpoints.ts';
import { Registrations } from './enrol/registrations.ts';
import { openGrants } from './grants/open-grants.ts';
import { Signer } from './grants/signing.ts';
import type { OwnGrants } from './grants/token-endpoint.ts';
import { TOKEN_EXCHANGE } from './grants/token-exchange.ts';
import { TokenProofReader } from './grants/token-proof.ts';
import { type IssuerOptions, issuerHandler } from './issuer.ts';
import { Issuing, revocableOf } from './issuing.ts';
import { PATHS } from './metadata.ts';
import { Nonces } from './nonces.ts';
import type { PassportRoomOptions } from './options.ts';
import { PassportReader } from './passport-reader.ts';
import { Pepper } from './pepper.ts';
import { PersonGrantRoom, type PersonGrants } from './person-grants/person-grants.ts';
import { RefreshTokens } from './person-grants/refresh-token.ts';
import { buildProvider } from './provider.ts';
import { clonedKeyAlert } from './ratchet/alert.ts';
import { Ratchets } from './ratchet/ratchet.ts';
import { RevocationIndex } from './revocation-index.ts';
import { RevocationRoom, type Revocations } from './revocations.ts';
import { LONGEST_LIFETIME_SECONDS, type PublishedKey, SigningKeys } from './signing-keys.ts';
import { StatusEntries } from './status/status-entries.ts';
import { StatusLists } from './status/status-lists.ts';
import type { PassportRecord } from './store.ts';
import { TokenEndpoints } from './token-endpoints.ts';
import { openVerifier, type PassportVerifier } from './verifier.ts';
import { readTrustRules } from './workloads/trust-rules.ts';

const DEFAULT_LIFETIME_SECONDS = 300;
const DEFAULT_DELEGATION_DEPTH = 4;
/** For one address (or IPv6 network), and for one authenticated client. */
const ADDRESS_LIMIT = { perSecond: 100, burst: 500 };
const CLIENT_LIMIT = { perSecond: 20, burst: 100 };
/** Timers may fire a moment early. */
const TIMER_SLACK_MS = 2;
const SWEEP_MS = 60_000;
/** Expired passports, initial tokens and grants of people stay listed for a day. */
const LISTED_MS = 24 * 3600 * 1000;

export interface PassportRoom {
  /** Express handler for the root of the control plane. */
  readonly issuer: RequestHandler;
  /** Pages for people who are signed in: what agents ask of them. */
  readonly pages: readonly Page[];
  readonly verifier: PassportVerifier;
  readonly revocations: Revocations;
  readonly agents: Agents;
  readonly initialTokens: InitialTokens;
  /** What people let agents do in their name. */
  readonly personGrants: PersonGrants;
  readonly keys: {
    /** The next key signs from now on; the old one is checked until its passports ran out. */
    rotate(by: string): Promise<{ readonly kid: string; readonly retired: string }>;
    jwks(): { readonly keys: readonly PublishedKey[] };
  };
  readonly passports: {
    get(jti: string): Promise<PassportRecord | null>;
    /** Newest first. */
    list(filter: {
      readonly agentId?: string;
      readonly userId?: string;
      readonly liveOnly: boolean;
      readonly after: string | null;
      readonly limit: number;
    }): Promise<PassportRecord[]>;
    /** From memory alone; whether it has expired is another question. */
    isRevoked(passport: PassportRecord): boolean;
  };
  close(): Promise<void>;
}

/** Opens the issuer, the verifier and the registry of agents. Throws KeyFileError for damaged key files. */
export async function openPassportRoom(o: PassportRoomOptions): Promise<PassportRoom> {
  const { clock, audit, stores, unitOfWork, bearer = 'never', tenant = 'default', limits = {} } = o;
  assertOrigin('issuer', o.issuer);
  assertOrigin('audience', o.audience);
  const lifetimeSeconds = o.passportLifetimeSeconds ?? DEFAULT_LIFETIME_SECONDS;
  if (!(lifetimeSeconds >= 1 && lifetimeSeconds <= LONGEST_LIFETIME_SECONDS)) {
    throw new TypeError(`passportLifetimeSeconds is 1 to ${LONGEST_LIFETIME_SECONDS}`);
  }
  const resources = o.resources ?? [];
  const rules = readTrustRules(o.workloads ?? []);
  const maxDepth = o.maxDelegationDepth ?? DEFAULT_DELEGATION_DEPTH;
  if (!(Number.isInteger(maxDepth) && maxDepth >= 0 && maxDepth < LIMITS.chainHops)) {
    throw new TypeError(`maxDelegationDepth is 0 to ${LIMITS.chainHops - 1}`);
  }
  const onFault = o.onFault ?? warn;
  // Proofs name whole seconds. One from the second of the start may be from before it, so the room opens with
  // the next second, and nobody's first proof is refused.
  const startedAt = Math.ceil(clock.now() / 1000) * 1000;
  const started = pause(startedAt - clock.now() + TIMER_SLACK_MS);
  const pepper = await Pepper.open(o.keysDirectory);
  const keys = await SigningKeys.open(o.keysDirectory, clock);
  const index = new RevocationIndex();
  const directory = new AgentDirectory({ tenant, store: stores.agents, clock });
  const revocations = new RevocationRoom({
    tenant,
    store: stores.revocations,
    unitOfWork,
    index,
    directory,
    clock,
    audit,
    onFault,
    pepper,
    isSigningKey: (kid) => keys.find(kid) !== null,
    dropSigningKey: async (kid) => {
      if (keys.find(kid) === null) return;
      await keys.drop(kid);
      takeUpKeys();
    },
  });
  const reader = new PassportReader({
    tenant,
    issuer: o.issuer,
    audiences: [o.audience, ...resources],
    keys,
    directory,
    revocations: index,
  });
  const verifierOptions = {
    reader,
    counter: new CallCounter({ unitOfWork, clock }),
    replay: o.replay,
    durableReplay: stores.replay,
    bearer,
    nonces: o.nonce === true ? new Nonces(pepper.derive('gateway-nonce')) : null,
    startedAt,
  };
  const verifier = openVerifier({ ...verifierOptions, audience: o.audience });
  const limiter = new RateLimiter(limits.client ?? CLIENT_LIMIT);
  const statusEntries = new StatusEntries({ issuer: o.issuer });
  const issuing = new Issuing({
    tenant,
    directory,
    revocations: index,
    issues: stores.issues,
    unitOfWork,
    pepper,
    limiter,
    clock,
    audit,
    statusEntries,
    maxDepth,
    ...(o.onScopesAsked === undefined ? {} : { onAsked: o.onScopesAsked }),
  });
  const tokens = new TokenEndpoints({ reader, directory, revocations, limiter, clock, bearer });
  const signer = new Signer(keys);
  const statusLists = new StatusLists({
    tenant,
    issuer: o.issuer,
    entries: statusEntries,
    passports: stores.passports,
    revocations: index,
    signer,
    clock,
  });
  revocations.onRevoked(() => statusLists.renew());
  const agents = new AgentRegistry({
    tenant,
    stores,
    unitOfWork,
    directory,
    revocations,
    pepper,
    clock,
    audit,
  });
  const ratchets = new Ratchets({
    store: stores.ratchets,
    onCloned: async ({ id, owner }, { kid }) => {
      await agents.quarantine(id, `a copy of its key ${kid} was used`, 'the issuer');
      await audit(clonedKeyAlert({ tenant, agentId: id, owner, kid, now: clock.now() }));
    },
  });
  const documents = new ClientDocuments({
    tenant,
    rules: o.clientDocuments?.rules ?? [],
    fetch: o.clientDocuments?.fetch ?? noDocuments,
    store: stores.agents,
    registry: agents,
    clock,
  });
  const refreshTokens = new RefreshTokens(pepper);
  const personGrants = new PersonGrantRoom({
    tenant,
    store: stores.personGrants,
    revocations,
    refreshTokens,
    clock,
    audit,
    limit: (clientId) => limiter.take(clientId, clock.now()),
  });
  const grants = openGrants({
    tenant,
    issuer: o.issuer,
    audiences: [o.audience, ...resources],
    rules,
    lifetimeSeconds,
    bearer,
    nonces: o.nonce === true ? new Nonces(pepper.derive('token-nonce')) : null,
    agents: stores.agents,
    oidc: stores.oidc,
    ratchets,
    documents,
    backchannel: o.backchannel === undefined ? null : { ...o.backchannel, store: stores.backchannel },
    consent:
      o.consent === undefined
        ? null
        : {
            findUser: o.consent.findUser,
            store: stores.personGrants,
            devices: stores.deviceRequests,
            room: personGrants,
            refreshTokens,
          },
    directory,
    pepper,
    reader,
    issuing,
    signer,
    policy: o.delegationPolicy ?? withinOwner,
    clock,
  });
  const record = o.recordRefused ?? audit;
  const onRefused: IssuerOptions['onRefused'] = (data) => {
    const event = { type: 'passport.refused' as const, tenant, at: clock.now(), data };
    record(event).catch(onFault);
  };
  const build = () =>
    buildProvider({
      issuer: o.issuer,
      audience: o.audience,
      resources,
      lifetimeSeconds,
      boundOnly: bearer === 'never',
      nonceSecret: o.nonce === true ? pepper.derive('issuer-nonce') : null,
      keys,
      rows: stores.oidc,
      directory,
      pepper,
      issuing,
      tokens,
      clock,
      signer,
      grants: grants.names,
      mtls: o.mtls ?? false,
      clientDocuments: (o.clientDocuments?.rules ?? []).length > 0,
      backchannel: o.backchannel === undefined ? null : { pings: o.backchannel.pings },
      revokeRefreshToken:
        o.consent === undefined ? null : (clientId, token) => personGrants.revokeToken(clientId, token),
      onRefused,
      onFault,
    });
  const initialTokens = new InitialTokenRoom({ tenant, store: stores.enrolment, pepper, clock, audit });
  const registrations = new Registrations({
    tenant,
    store: stores.enrolment,
    initialTokens,
    agents,
    pepper,
    clock,
  });
  const backchannel = openBackchannel({ ...o, tenant }, { grants, issuing, pepper, directory, onFault });
  const consent: Consent =
    o.consent === undefined
      ? { endpoints: [], pages: [] }
      : openConsent({
          ...o.consent,
          tenant,
          issuer: o.issuer,
          audiences: [o.audience, ...resources],
          grants,
          directory,
          documents,
          stores,
          unitOfWork,
          pepper,
          clock,
          audit,
          noticeAsked: (agent, scope) => issuing.noticeAsked(agent, scope),
          onRefused,
        });
  const endpoints = [
    ...consent.endpoints,
    ...backchannel.endpoints,
    ...registrationEndpoints({
      issuer: o.issuer,
      registrations,
      offersConsent: o.consent !== undefined,
      grants: ['client_credentials', TOKEN_EXCHANGE],
      boundOnly: bearer === 'never',
    }),
    ...agentPassportEndpoints({
      issuer: o.issuer,
      audiences: [o.audience, ...resources],
      lifetimeSeconds,
      challenges: new Challenges({ pepper, clock }),
      directory,
      issuing,
      signer,
      proofs: new TokenProofReader({
        tokenEndpoint: `${o.issuer}${PATHS.token}`,
        nonces: o.nonce === true ? new Nonces(pepper.derive('token-nonce')) : null,
        boundOnly: bearer === 'never',
        clock,
      }),
      registrations,
      limiter,
      tokens,
      pepper,
      verifierFor: (audience) =>
        audience === o.audience ? verifier : openVerifier({ ...verifierOptions, audience }),
      riskOf: o.riskOf ?? (() => NO_RISK),
      clock,
    }),
  ];
  let provider = build();
  await revocations.open();
  const takeUpKeys = () => {
    reader.forgetSignatures();
    provider = build();
  };
  const sweep = async () => {
    const now = clock.now();
    if (await keys.reload()) takeUpKeys();
    index.forgetExpired(now);
    await stores.oidc.deleteExpired(now);
    await stores.revocations.deleteExpired(now);
    await stores.callCounts.deleteExpired(now);
    await stores.backchannel.deleteExpired(now);
    await stores.deviceRequests.deleteExpired(now - DEVICE_KEPT_MS);
    await stores.personGrants.deleteExpired(now - LISTED_MS);
    await stores.statusEntries.deleteFree(now);
    await stores.enrolment.deleteExpired(now - LISTED_MS);
    await stores.passports.deleteExpired(now - LISTED_MS);
    await o.replay.deleteExpired(now);
    await stores.replay.deleteExpired(now);
  };
  let sweeping: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    sweeping = sweeping.then(sweep).catch(onFault);
  }, SWEEP_MS);
  timer.unref();
  await started;

  return {
    issuer: issuerHandler({
      issuer: o.issuer,
      provider: () => provider,
      grants,
      statusLists,
      endpoints,
      mtls: o.mtls ?? false,
      onRefused,
      onFault,
      limiter: new RateLimiter(limits.address ?? ADDRESS_LIMIT),
      clock,
    }),
    pages: consent.pages,
    verifier,
    revocations,
    agents,
    initialTokens,
    personGrants,
    keys: {
      async rotate(by) {
        const rotated = await keys.rotate();
        takeUpKeys();
        const changes = { key: 'passport-signing', retired: rotated.retired };
        const data = { id: rotated.kid, by, changes };
        await audit({ type: 'key.rotated', tenant, at: clock.now(), data });
        return rotated;
      },
      jwks: () => ({ keys: keys.published() }),
    },
    passports: {
      get: (jti) => stores.passports.get(tenant, jti),
      list: ({ liveOnly, ...filter }) =>
        stores.passports.list(tenant, { ...filter, ...(liveOnly ? { liveAt: clock.now() } : {}) }),
      isRevoked: (passport) => index.find(revocableOf(passport)) !== null,
    },
    async close() {
      clearInterval(timer);
      backchannel.close();
      await sweeping;
      await revocations.close();
    },
  };
}

/** Where agents ask people elsewhere, and hear of the answer; nothing where that is not set up. */
function openBackchannel(
  o: PassportRoomOptions & { readonly tenant: string },
  rooms: {
    readonly grants: OwnGrants;
    readonly issuing: Issuing;
    readonly pepper: Pepper;
    readonly directory: AgentDirectory;
    readonly onFault: (fault: unknown) => void;
  },
): { readonly endpoints: readonly Endpoint[]; close(): void } {
  const { backchannel } = o;
  if (backchannel === undefined) return { endpoints: [], close: () => {} };
  const { grants, pepper, directory, onFault } = rooms;
  const store = o.stores.backchannel;
  const pinger = new Pinger({
    key: pepper.derive('backchannel-notification'),
    store,
    notify: backchannel.notify,
    urlOf: async (agentId) => {
      const agent = await directory.find(agentId);
      return agent?.status === 'active' ? backchannel.notificationUrlOf(agent.name) : null;
    },
    onFault,
  });
  const stop = backchannel.approvals.onDecided((record) => pinger.told(record));
  const audiences = [o.audience, ...(o.resources ?? [])];
  const { authenticate } = grants;
  return {
    endpoints: [backchannelEndpoint({ ...o, ...rooms, backchannel, store, audiences, pinger, authenticate })],
    close: () => {
      stop();
      pinger.close();
    },
  };
}

/** URLs are compared as text, by us and by clients: one spelling, or nothing agrees. */
function assertOrigin(name: string, value: string): void {
  const url = URL.parse(value);
  if (url === null || url.origin !== value) {
    throw new TypeError(
      `${name} must be an origin such as https://gate.example.com, without a path or slash`,
    );
  }
}

const noDocuments: FetchDocument = () => Promise.reject(new TypeError('no client documents are read'));

const withinOwner: DelegationPolicy = ({ from, to }) =>
  from.owner === to.owner ? null : 'the agents have different owners';

function warn(fault: unknown): void {
  process.emitWarning(fault instanceof Error ? fault.message : String(fault), 'PassportWarning');
}
