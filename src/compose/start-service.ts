import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AdminTokens,
  controlHostNames,
  createAdminApi,
  ensureFirstAdministrator,
  type FirstAdministrator,
} from '../admin/index.ts';
import { Deduplicator, Outbox, raise, Sinks } from '../alerts/index.ts';
import { Approvals } from '../approvals/index.ts';
import {
  loadCheckpointPublicKey,
  loadOrCreateCheckpointKey,
  openAuditLog,
  verifyAuditLog,
} from '../audit/index.ts';
import { type Config, summarizeConfig } from '../config/index.ts';
import { type Clock, type SecretBytes, systemClock } from '../core/index.ts';
import { openDetector } from '../detector/index.ts';
import { loadOrCreateRandomKey } from '../files/index.ts';
import { type Gateway, openGateway, policyGate, ServiceRegistry } from '../gateway/index.ts';
import { guardStatus } from '../guard/index.ts';
import { MemoryReplayStore, openPassportRoom, protectedResourceMetadata } from '../passport/index.ts';
import { decideDelegation, PolicyKeeper } from '../policy/index.ts';
import { openStorage, type Storage } from '../storage/index.ts';
import { openVault } from '../vault/index.ts';
import { addressOf } from './addresses.ts';
import { openControlPlane } from './control-plane.ts';
import { startHousekeeping } from './housekeeping.ts';
import type { Logger } from './log.ts';
import { ADMIN_PEPPER_FILE, assertNoLostKeys } from './lost-keys.ts';
import { policyRoom } from './policy-room.ts';
import { snapshotDatabase } from './snapshot.ts';
import { prepareStateFolder } from './state-folder.ts';
import { statusOf } from './status.ts';
import { openListenersTls } from './tls/index.ts';
import { PROGRAM_ROOT, programVersion } from './version.ts';
import { countedUse, logEvents, Meters, openMonitor, Readiness, tapped } from './watch/index.ts';

export const TENANT = 'default';
const WEBHOOK_TIMEOUT_MS = 10_000;

export interface StartOptions {
  readonly config: Config;
  /** True when a person stands before standard output: the first admin token is shown there, once. */
  readonly isTerminal: boolean;
  /** The passphrase of the vault, where its seal is one. */
  readonly passphrase?: SecretBytes | null;
  readonly clock?: Clock;
  /** Null: nothing is logged. */
  readonly logger?: Logger | null;
  /** Told of faults that no caller waits for. */
  readonly onFault: (fault: unknown) => void;
}

/** A service that runs. */
export interface RunningService {
  readonly version: string;
  readonly controlUrl: string;
  readonly gatewayUrl: string;
  readonly first: boolean;
  /** True while no service is registered: whoever started it may want to know how to begin. */
  readonly unused: boolean;
  readonly administrator: FirstAdministrator;
  /** Reads certificates and policies again; what is broken stays out of force and is recorded. */
  reload(): Promise<void>;
  /** Takes no more calls, lets those in flight end, cuts the rest, and writes down what must be. */
  stop(reason: string): Promise<{ readonly callsCut: number }>;
}

/**
 * The only wiring: every room is made here, with what it needs as arguments. Rejects when anything that must
 * work does not; what was opened until then is closed again.
 */
export async function startService(options: StartOptions): Promise<RunningService> {
  const stack = new AsyncDisposableStack();
  try {
    return await wire(options, stack);
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

async function wire(options: StartOptions, stack: AsyncDisposableStack): Promise<RunningService> {
  const { config, onFault, clock = systemClock } = options;
  const { paths } = config;
  const version = programVersion();
  const { first } = await prepareStateFolder(paths, PROGRAM_ROOT);
  const controlAddress = await addressOf(config.control);
  const gatewayAddress = await addressOf(config.gateway);

  const log = await openAuditLog({
    directory: paths.audit,
    durability: config.audit.durability,
    segmentBytes: config.audit.segmentBytes,
    node: config.node.name,
    checkpointKey: await loadOrCreateCheckpointKey(paths.keys, paths.audit),
    clock,
    tenant: TENANT,
  });
  stack.defer(() => log.close());
  let meters: Meters | null = null;
  const tell = options.logger == null ? () => {} : logEvents(options.logger, { calls: config.log.calls });
  const audit = tapped((event) => log.append(event), { meters: () => meters, tell });
  const tls = await openListenersTls({ config, clock, audit, tenant: TENANT, onFault });
  stack.defer(() => tls.close());

  const storage = await openStorageFor(config, clock, onFault);
  stack.defer(() => storage.close());
  stack.defer(startHousekeeping({ storage, clock, onFault }));
  await assertNoLostKeys({ keysDirectory: paths.keys, storage, tenant: TENANT });

  const vault = await openVault({
    store: storage.credentials,
    keysDirectory: paths.keys,
    seal: sealOf(config, options.passphrase ?? null),
    clock,
    audit,
  });
  stack.defer(() => vault.close());

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
  const detector = await openDetector({
    decoyStore: storage.decoys,
    baselineStore: storage.baselines,
    riskStore: storage.risks,
    rulesDirectory: join(paths.policies, 'detection'),
    profile: config.detector.profile,
    onLate: config.detector.onLate,
    rate: { burst: config.detector.callsAtOnce, perSecond: config.detector.callsPerSecond },
    clock,
    audit,
    onFault,
  });
  stack.defer(() => detector.close());

  const passport = await openPassportRoom({
    tenant: TENANT,
    issuer: controlAddress.url,
    audience: gatewayAddress.url,
    keysDirectory: paths.keys,
    stores: storage,
    unitOfWork: storage.unitOfWork,
    // One node remembers proofs in memory; several share what they have seen.
    replay: config.storage.kind === 'sqlite' ? new MemoryReplayStore() : storage.replay,
    clock,
    audit,
    passportLifetimeSeconds: config.issuer.passportLifetimeSeconds,
    resources: config.issuer.resources,
    workloads: config.issuer.workloads.map((rule) => ({
      ...rule,
      claims: JSON.parse(JSON.stringify(rule.claims)),
    })),
    maxDelegationDepth: config.issuer.maxDelegationDepth,
    delegationPolicy: (request) =>
      decideDelegation(keeper.current(), request, detector.riskOf(request.tenant, request.sid, request.now)),
    bearer: config.gateway.bearer,
    nonce: config.issuer.dpopNonce,
    onFault,
  });
  stack.defer(() => passport.close());

  const repeats = new Deduplicator();
  const readiness = new Readiness({
    database: async () => {
      await storage.ping();
      return true;
    },
    audit: () => log.isWritable,
    keys: () => passport.keys.jwks().keys.length > 0,
    policy: () => keeper.current().generation > 0,
  });
  const gateway = await openGateway({
    listen: { host: gatewayAddress.host, port: gatewayAddress.port },
    tls: tls.gateway,
    publicUrl: gatewayAddress.url,
    controlUrl: controlAddress.url,
    verifier: passport.verifier,
    revocations: passport.revocations,
    policy: policyGate(keeper),
    approvals,
    vault: {
      describe: (tenant, name) => vault.describe(tenant, name),
      use: countedUse(vault, () => meters),
      onChanged: (listener) => vault.onChanged(listener),
      sealBlob: (context, bytes) => vault.sealBlob(context, bytes),
      openBlob: (context, blob) => vault.openBlob(context, blob),
      deriveKey: (...given) => vault.deriveKey(...given),
    },
    detector,
    audit: { append: audit },
    readiness: () => readiness.ask(),
    raise: (o) => {
      const alert = raise(o);
      return alert === null ? null : repeats.admit(alert);
    },
    services,
    resourceMetadata: () =>
      protectedResourceMetadata({
        resource: gatewayAddress.url,
        issuer: controlAddress.url,
        scopes: services.all().flatMap(({ name }) => [`${name}:read`, `${name}:write`]),
        bearer: config.gateway.bearer,
      }),
    authorityFile: join(paths.keys, 'gateway-ca.json'),
    ownPorts: [controlAddress.port, ...(config.monitor.port === null ? [] : [config.monitor.port])],
    clock,
    requestTimeoutMs: config.gateway.requestTimeoutMs,
    upstreamTimeoutMs: config.gateway.upstreamTimeoutMs,
    inspectBodyBytes: config.gateway.inspectBodyBytes,
    detectorDeadlineMs: config.detector.deadlineMs,
  });
  const gates = closeOnce(gateway, config.gateway.drainMs);
  stack.defer(async () => void (await gates.close()));

  const tools = { send: gateway.send, directory: join(paths.data, 'alerts'), timeoutMs: WEBHOOK_TIMEOUT_MS };
  const sinks = new Sinks({
    store: storage.sinks,
    sealer: {
      seal: (context, bytes) => vault.sealBlob(context, bytes),
      open: (context, blob) => vault.openBlob(context, blob),
    },
    tools,
    audit,
    clock,
  });
  const outbox = new Outbox({
    log,
    outboxStore: storage.outbox,
    sinkStore: storage.sinks,
    open: (context, blob) => vault.openBlob(context, blob),
    tools,
    clock,
    onFault,
  });
  await outbox.start();
  stack.defer(() => outbox.close());

  const adminPepper = await loadOrCreateRandomKey(join(paths.keys, ADMIN_PEPPER_FILE), 'admin tokens');
  const tokens = new AdminTokens({
    store: storage.adminTokens,
    pepper: adminPepper,
    clock,
    audit,
  });
  const administrator = await ensureFirstAdministrator({
    tokens,
    tenant: TENANT,
    keysDirectory: paths.keys,
    isTerminal: options.isTerminal,
  });
  const admin = createAdminApi({
    rooms: {
      passport,
      services: {
        put: (definition, by) => services.put(definition, by),
        byName: (tenant, name) => services.byName(tenant, name),
        list: (tenant) => services.all().filter((service) => service.tenant === tenant),
        delete: (tenant, name, by) => services.delete({ tenant, name }, by),
      },
      vault,
      approvals,
      policy: policyRoom(keeper, clock),
      sinks,
      deliveries: (filter) => storage.outbox.list(log.node, filter),
      decoys: detector.decoys,
      audit: log,
      verifyAudit: async (checkpoint) => {
        const publicKey = await loadCheckpointPublicKey(paths.keys);
        return verifyAuditLog({
          directory: paths.audit,
          ...(publicKey === null ? {} : { publicKey }),
          ...(checkpoint === null ? {} : { checkpoint }),
        });
      },
      authority: gateway.authority,
      tokens,
      snapshotDatabase: (by) =>
        snapshotDatabase({ storage, data: paths.data, clock, audit, tenant: TENANT }, by),
      status: () => statusOf({ version, config, log, keeper, detector, outbox, services }),
    },
    tokens,
    idempotency: {
      store: storage.idempotency,
      sealer: {
        seal: (context, bytes) => vault.sealBlob(context, bytes),
        open: (context, blob) => vault.openBlob(context, blob),
      },
      pepper: adminPepper,
    },
    audit,
    clock,
    hostNames: controlHostNames({ host: config.control.host, publicUrl: config.control.publicUrl }),
    tenant: TENANT,
    onFault,
  });
  const control = await openControlPlane({
    address: controlAddress,
    admin,
    issuer: passport.issuer,
    tls: tls.control,
    readiness,
  });
  stack.defer(() => control.close());
  const monitorPort = config.monitor.port;
  if (monitorPort !== null) {
    if (config.monitor.metrics) {
      meters = new Meters({
        ready: async () => (await readiness.ask()).parts,
        outbox: () => outbox.lag(),
        auditSequence: () => log.lastSequence,
        guardState: () => guardStatus().kind,
        policyFaults: () => keeper.faults.length,
        certificates: () => new Map(tls.keepers.map((one) => [one.listener, one.expiresAt])),
        version,
      });
    }
    const registry = meters?.registry ?? null;
    const monitor = await openMonitor({
      host: config.monitor.host,
      port: monitorPort,
      readiness,
      registry,
      onFault,
    });
    stack.defer(() => monitor.close());
  }

  await audit({
    type: 'gate.started',
    tenant: TENANT,
    at: clock.now(),
    data: { version, node: process.versions.node, settings: summarizeConfig(config) },
  });
  return {
    version,
    controlUrl: controlAddress.url,
    gatewayUrl: gatewayAddress.url,
    first,
    unused: services.all().length === 0,
    administrator,
    async reload() {
      await Promise.all([tls.reload(), keeper.reload()]);
    },
    async stop(reason) {
      readiness.stop();
      await sleep(config.gateway.drainDelayMs);
      const { callsCut } = await gates.close();
      try {
        await audit({ type: 'gate.stopped', tenant: TENANT, at: clock.now(), data: { reason, callsCut } });
      } finally {
        // A log that takes no more records must not keep the rest from being closed.
        await stack.disposeAsync();
      }
      return { callsCut };
    },
  };
}

function openStorageFor(config: Config, clock: Clock, onFault: (fault: unknown) => void): Promise<Storage> {
  const { storage, paths } = config;
  if (storage.kind === 'postgres' && storage.url !== null) {
    return openStorage({ kind: 'postgres', url: storage.url, clock, onFault });
  }
  return openStorage({
    kind: 'sqlite',
    file: paths.database,
    durability: storage.durability,
    clock,
    onFault,
  });
}

function sealOf(config: Config, passphrase: SecretBytes | null) {
  if (config.vault.seal === 'file') return { kind: 'file' } as const;
  if (passphrase === null) throw new TypeError('the vault is sealed with a passphrase, and none was given');
  return { kind: 'passphrase', passphrase } as const;
}

/** Closing twice (an orderly stop, then the stack) gives the answer of the first time. */
function closeOnce(gateway: Gateway, graceMs: number): { close(): Promise<{ readonly callsCut: number }> } {
  let closing: Promise<{ readonly callsCut: number }> | null = null;
  return {
    close() {
      closing ??= gateway.close({ graceMs });
      return closing;
    },
  };
}
