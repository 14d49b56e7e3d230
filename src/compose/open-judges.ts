import { join } from 'node:path';
import { raise } from '../alerts/index.ts';
import { Approvals } from '../approvals/index.ts';
import { type Detector, openDetector, Recorder } from '../detector/index.ts';
import { documentReader, noticeSender, pinnedFetch, ServiceRegistry } from '../gateway/index.ts';
import type { OpenGuard } from '../guard/index.ts';
import { MemoryReplayStore, openPassportRoom, type PassportRoom } from '../passport/index.ts';
import { openPeopleRoom, type PeopleRoom } from '../people/index.ts';
import { decideDelegation, PolicyKeeper } from '../policy/index.ts';
import type { Storage } from '../storage/index.ts';
import { openGuardOf } from './open-guard.ts';
import { type Records, TENANT, type Wiring } from './service.ts';
import { upstreamSettings } from './upstream-settings.ts';
import { userAccess } from './user-access.ts';

/** The rooms that a call has to satisfy. */
export interface Judges {
  readonly services: ServiceRegistry;
  readonly keeper: PolicyKeeper;
  readonly approvals: Approvals;
  readonly guard: OpenGuard;
  readonly detector: Detector;
  readonly passport: PassportRoom;
  readonly people: PeopleRoom;
}

export async function openJudges(
  wiring: Wiring,
  { audit, strangers }: Records,
  storage: Storage,
  urls: { readonly issuer: string; readonly audience: string },
): Promise<Judges> {
  const { config, clock, onFault, stack } = wiring;
  const { paths } = config;
  const services = await ServiceRegistry.open({ store: storage.services, clock, audit });
  stack.defer(() => services.close());
  const keeper = await PolicyKeeper.open({
    directory: paths.policies,
    clock,
    audit,
    onFault,
    tenant: TENANT,
  });
  stack.defer(() => keeper.close());
  const approvals = new Approvals({
    store: storage.approvals,
    clock,
    audit,
    lifetimeMs: config.approvals.lifetimeSeconds * 1000,
  });
  const guard = await openGuardOf(wiring);
  const { record } = config.detector;
  const recorder = record.enabled
    ? new Recorder({
        directory: join(paths.data, 'recordings'),
        days: record.days,
        maxBytesADay: record.maxMiBPerDay * 1024 * 1024,
        clock,
        onFault,
      })
    : null;
  stack.defer(() => recorder?.close());
  const detector = await openDetector({
    ...(recorder === null ? {} : { recorder }),
    guard,
    readingMs: config.guard.deadlineMs,
    decoyStore: storage.decoys,
    baselineStore: storage.baselines,
    riskStore: storage.risks,
    rulesDirectory: join(paths.policies, 'detection'),
    watchRules: true,
    profile: config.detector.profile,
    onLate: config.detector.onLate,
    rate: { burst: config.detector.callsAtOnce, perSecond: config.detector.callsPerSecond },
    holdFrom: config.detector.holdFrom,
    denyFrom: config.detector.denyFrom,
    responses: config.detector.responses,
    labels: config.detector.labels,
    trustedAnnotations: config.detector.trustedAnnotations,
    bait: config.detector.decoys,
    memoryBytes: config.detector.memoryMiB * 1024 * 1024,
    clock,
    audit,
    onFault,
  });
  stack.defer(() => detector.close());
  const ownPorts = [urls.issuer, urls.audience].map((url) => Number(new URL(url).port));
  const passport = await openPassportRoom({
    tenant: TENANT,
    ...urls,
    keysDirectory: paths.keys,
    stores: storage,
    unitOfWork: storage.unitOfWork,
    // One node remembers proofs in memory; several share what they have seen.
    replay: config.storage.kind === 'sqlite' ? new MemoryReplayStore() : storage.replay,
    clock,
    audit,
    recordRefused: (event) => strangers.record(event),
    passportLifetimeSeconds: config.issuer.passportLifetimeSeconds,
    resources: config.issuer.resources,
    mtls: config.tls.clientCertificates && config.control.tlsCertificateFile !== null,
    workloads: config.issuer.workloads.map((rule) => ({
      ...rule,
      claims: JSON.parse(JSON.stringify(rule.claims)),
    })),
    clientDocuments: {
      rules: config.issuer.clientDocuments,
      fetch: documentReader({
        clock,
        ownPorts,
      }),
    },
    backchannel: {
      approvals,
      approvers: config.approvals.passportApprovers,
      findUser: async (hint) => {
        const user =
          (await storage.people.user(TENANT, hint)) ?? (await storage.people.userByName(TENANT, hint));
        return user?.status === 'active' ? { id: user.id, name: user.name } : null;
      },
      pings: config.issuer.notifications.length > 0,
      notificationUrlOf: (name) => config.issuer.notifications.find(({ agent }) => agent === name) ?? null,
      notify: noticeSender({ clock, ownPorts }),
    },
    consent: {
      longestGrantSeconds: config.issuer.grantLifetimeSeconds,
      findUser: async (id) => {
        const user = await storage.people.user(TENANT, id);
        return user?.status === 'active' ? { id: user.id, name: user.name } : null;
      },
    },
    maxDelegationDepth: config.issuer.maxDelegationDepth,
    delegationPolicy: (request) =>
      decideDelegation(
        keeper.current(),
        request,
        detector.riskOf({ ...request, agentId: request.from.id }, request.now),
      ),
    riskOf: ({ now, ...session }) => detector.riskOf(session, now),
    onScopesAsked: async ({ agent, sid, scopes }) => {
      const finding = detector.bait.scopeFinding(scopes, sid);
      if (finding === null) return;
      const { id: agentId, owner } = agent;
      const actor = { agentId, owner, user: null, sid: sid ?? '', jti: '', chain: [] };
      const alert = raise({
        call: null,
        actor,
        findings: [finding],
        effect: 'deny',
        now: clock.now(),
        tenant: TENANT,
      });
      if (alert !== null) await audit(alert);
    },
    bearer: config.gateway.bearer,
    nonce: config.issuer.dpopNonce,
    onFault,
  });
  stack.defer(() => passport.close());
  const people = await openPeopleRoom({
    tenant: TENANT,
    origin: urls.issuer,
    keysDirectory: paths.keys,
    store: storage.people,
    unitOfWork: storage.unitOfWork,
    once: storage.replay,
    approvals,
    access: userAccess(passport),
    providers: await upstreamSettings(config),
    fetch: pinnedFetch({ clock, ownPorts }),
    clock,
    audit,
    recordRefused: (event) => strangers.record(event),
    endAccess: async (value, by, reason) => {
      await passport.revocations.revoke({ tenant: TENANT, kind: 'user', value, by, reason });
    },
    pages: passport.pages,
    onFault,
  });
  stack.defer(() => people.close());
  return { services, keeper, approvals, guard, detector, passport, people };
}
