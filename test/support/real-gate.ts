import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { raise } from '../../src/alerts/index.ts';
import { Approvals } from '../../src/approvals/index.ts';
import { type AuditLog, loadOrCreateCheckpointKey, openAuditLog } from '../../src/audit/index.ts';
import { type AuditEvent, type AuditEventMap, SecretBytes, systemClock } from '../../src/core/index.ts';
import { type Detector, type DetectorOptions, openDetector } from '../../src/detector/index.ts';
import {
  type Gateway,
  type GatewayOptions,
  openGateway,
  policyGate,
  ServiceRegistry,
} from '../../src/gateway/index.ts';
import { PolicyKeeper } from '../../src/policy/index.ts';
import { openVault, type Vault } from '../../src/vault/index.ts';
import { type Bench, openBench, TestAgent } from '../unit/passport/support.ts';
import { repositoryRoot } from './shared.ts';

/** Every room for real: database, keys, log, policies and issuer in a temporary folder, on real sockets. */
export interface RealGate {
  readonly bench: Bench;
  readonly gateway: Gateway;
  readonly log: AuditLog;
  readonly vault: Vault;
  readonly detector: Detector;
  readonly approvals: Approvals;
  readonly services: ServiceRegistry;
  /** All events of a type so far, in the order of the log. */
  eventsOf<T extends keyof AuditEventMap>(type: T): Promise<readonly AuditEventMap[T][]>;
  /** A secret for the origins of the services that are named. */
  putCredential(name: string, secret: string, services: readonly string[]): Promise<void>;
  newAgent(scopes: readonly string[]): Promise<TestAgent>;
  close(): Promise<void>;
}

export async function openRealGate(
  o: {
    readonly policy?: string;
    readonly options?: Partial<GatewayOptions>;
    readonly detector?: Partial<DetectorOptions>;
    readonly bench?: Parameters<typeof openBench>[0];
    /** Calls of one session; default: as many as it likes. */
    readonly rate?: { readonly burst: number; readonly perSecond: number };
  } = {},
): Promise<RealGate> {
  const home = await mkdtemp(join(tmpdir(), 'sallyport-line-'));
  const port = await freePort();
  const clock = systemClock;
  const log = await openAuditLog({
    directory: join(home, 'audit'),
    durability: 'process',
    node: 'node-1',
    clock,
    checkpointKey: await loadOrCreateCheckpointKey(join(home, 'keys')),
  });
  const audit = (event: AuditEvent) => log.append(event);
  const bench = await openBench({ audience: `http://127.0.0.1:${port}`, audit, ...o.bench });
  const { storage } = bench;
  const policies = join(home, 'policies');
  await cp(join(repositoryRoot, 'policies'), policies, { recursive: true });
  if (o.policy !== undefined) await writeFile(join(policies, 'test.cedar'), o.policy);
  const vault = await openVault({
    store: storage.credentials,
    keysDirectory: join(home, 'keys'),
    seal: { kind: 'file' },
    clock,
    audit,
  });
  const keeper = await PolicyKeeper.open({ directory: policies, clock, audit });
  const approvals = new Approvals({ store: storage.approvals, clock, audit, lifetimeMs: 60_000 });
  const detector = await openDetector({
    decoyStore: storage.decoys,
    baselineStore: storage.baselines,
    riskStore: storage.risks,
    rulesDirectory: join(policies, 'detection'),
    profile: 'balanced',
    onLate: 'deny',
    rate: o.rate ?? { burst: 10_000, perSecond: 10_000 },
    clock,
    audit,
    ...o.detector,
  });
  const services = await ServiceRegistry.open({ store: storage.services, clock, audit });
  const gateway = await openGateway({
    listen: { host: '127.0.0.1', port },
    publicUrl: `http://127.0.0.1:${port}`,
    controlUrl: bench.issuer,
    verifier: bench.room.verifier,
    revocations: bench.room.revocations,
    policy: policyGate(keeper),
    approvals,
    vault,
    detector,
    audit: log,
    raise,
    services,
    resourceMetadata: () => ({ resource: `http://127.0.0.1:${port}` }),
    authorityFile: join(home, 'keys', 'gateway-ca.json'),
    clock,
    resolve: async () => ['127.0.0.1'],
    requestTimeoutMs: 5_000,
    upstreamTimeoutMs: 5_000,
    inspectBodyBytes: 64 * 1024,
    detectorDeadlineMs: 1_000,
    ...o.options,
  });
  return {
    bench,
    gateway,
    log,
    vault,
    detector,
    approvals,
    services,
    eventsOf: async (type) => {
      const found: unknown[] = [];
      for await (const { event } of log.read({ afterSequence: 0 })) {
        if (event.type === type) found.push(event.data);
      }
      return found as never;
    },
    putCredential: async (name, secret, names) => {
      const bound = names.flatMap((one) => services.byName('default', one) ?? []);
      await vault.put(
        {
          tenant: 'default',
          name,
          secret: SecretBytes.fromUtf8(secret),
          binding: {
            destinations: bound.flatMap(({ origins }) => origins),
            upstreamCa: bound[0]?.upstreamCa ?? null,
            allowPrivate: true,
            injector: { kind: 'bearer' },
          },
        },
        'admin',
      );
    },
    newAgent: (scopes) => TestAgent.register(bench, { scopes: [...scopes] }),
    close: async () => {
      await gateway.close({ graceMs: 0 });
      await Promise.all([keeper.close(), detector.close(), services.close(), vault.close()]);
      await bench.close();
      await log.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
