import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type AuditEvent,
  type Decision,
  type InjectorSpec,
  NO_RISK,
  type Origin,
  Refusal,
  SecretBytes,
  type Service,
  type Subject,
  systemClock,
  type Verdict,
} from '../../src/core/index.ts';
import {
  type Dial,
  type Gateway,
  type GatewayOptions,
  openGateway,
  type Resolve,
  ServiceRegistry,
  type ServiceStore,
} from '../../src/gateway/index.ts';
import type { PolicyGate } from '../../src/gateway/line.ts';

/** A gateway with real ingress, forwarding, scrubbing and egress; the rooms around it say what a test wants. */
export interface FakeGate {
  readonly gateway: Gateway;
  readonly events: AuditEvent[];
  /** How often a credential was opened. */
  opened(): number;
  revoke(): void;
  changeCredential(name: string): void;
  of<T extends AuditEvent['type']>(type: T): readonly Extract<AuditEvent, { type: T }>[];
  close(): Promise<void>;
}

export interface FakeGateOptions {
  readonly services?: readonly Partial<Service>[];
  /** Secret by credential name. */
  readonly secrets?: Readonly<Record<string, string>>;
  readonly resolve?: Resolve;
  readonly dial?: Dial;
  readonly decide?: () => Partial<Decision>;
  readonly inspect?: () => Partial<Verdict>;
  readonly outboundFinding?: (bytes: Uint8Array) => boolean;
  /** In place of the policy that allows everything. */
  readonly policy?: Partial<PolicyGate>;
  /** How credentials go into requests; bearer, unless told otherwise. */
  readonly injector?: InjectorSpec;
  /** What the passport of the next call says otherwise. */
  readonly passport?: () => Partial<typeof PASSPORT>;
  /** In place of the passport's own expiry and revocation, once it was verified. */
  readonly recheck?: () => void;
  readonly options?: Partial<GatewayOptions>;
}

export const SUBJECT: Subject = {
  tenant: 'default',
  agentId: 'agent_test',
  owner: 'owner',
  user: null,
  sid: 'session',
  chain: ['hop_root'],
};

const PASSPORT = {
  subject: SUBJECT,
  jti: 'jti_test',
  clientId: 'agent_test',
  scopes: new Set(['api:read', 'api:write']),
  details: [],
  budgets: [],
  issuedAt: 0,
  expiresAt: Date.now() + 300_000,
  jkt: null,
  purpose: null,
  agentName: 'tester',
};

export function makeService(o: Partial<Service> & { readonly origins: readonly Origin[] }): Service {
  return {
    tenant: 'default',
    name: 'api',
    credential: null,
    encodedSlash: 'refuse',
    allowPrivate: true,
    upstreamCa: null,
    inspectBody: false,
    ...o,
  };
}

/** A store that takes everything: what the definitions refuse must be refused by the line too. */
export function memoryServices(services: readonly Service[]): ServiceStore {
  const byName = new Map(services.map((service) => [`${service.tenant}/${service.name}`, service]));
  return {
    put: async (service) => {
      byName.set(`${service.tenant}/${service.name}`, service);
      return true;
    },
    get: async (tenant, name) => byName.get(`${tenant}/${name}`) ?? null,
    list: async () => [...byName.values()],
    all: async () => [...byName.values()],
    delete: async (tenant, name) => byName.delete(`${tenant}/${name}`),
    follow: async () => ({ stop: async () => undefined }),
  };
}

export async function openFakeGate(o: FakeGateOptions = {}): Promise<FakeGate> {
  const events: AuditEvent[] = [];
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-gate-'));
  let revoked = false;
  let openedCount = 0;
  let onRevoked: ((matches: () => boolean) => void) | null = null;
  let onChanged: ((changed: { tenant: string; name: string }) => void) | null = null;
  const audit = {
    append: async (event: AuditEvent) => {
      events.push(event);
      return { sequence: events.length, hash: '00' };
    },
  };
  const services = await ServiceRegistry.open({
    store: memoryServices((o.services ?? []).map((one) => makeService({ origins: [], ...one }))),
    clock: systemClock,
    audit: audit.append,
  });
  const check = () => {
    if (revoked) throw new Refusal('passport_revoked');
    return { ...PASSPORT, ...o.passport?.() };
  };
  const view = (name: string) => {
    const service = services.all().find(({ credential }) => credential === name);
    if (o.secrets?.[name] === undefined) return null;
    return {
      name,
      version: 1,
      binding: {
        destinations: service?.origins ?? [],
        upstreamCa: service?.upstreamCa ?? null,
        allowPrivate: service?.allowPrivate ?? false,
        injector: o.injector ?? { kind: 'bearer' },
      },
    };
  };
  const fakes = {
    verifier: {
      verify: async () => check(),
      recheck: () => {
        check();
        o.recheck?.();
      },
      nonce: () => null,
      count: async () => null,
    },
    revocations: {
      onRevoked: (listener: never) => {
        onRevoked = listener;
        return () => undefined;
      },
    },
    policy: {
      generation: 1,
      decide: () => ({
        effect: 'allow',
        policies: ['test'],
        reason: 'allowed',
        generation: 1,
        ...o.decide?.(),
      }),
      coveringDetails: () => [],
      permit: (input: {
        call: { id: string };
        decision: Decision;
        verdict: Verdict;
        credential: unknown;
      }) => {
        if (input.decision.effect === 'deny') throw new Refusal('policy_denied');
        if (input.verdict.effect === 'deny') throw new Refusal('detector_denied');
        return { callId: input.call.id, credential: input.credential, approvalId: null };
      },
      assertScope: () => undefined,
      needsBody: () => false,
      approvalHeaders: () => [],
      ...o.policy,
    },
    approvals: {},
    vault: {
      describe: (_tenant: string, name: string) => view(name),
      use: (permit: { credential: { name: string } }) => {
        openedCount += 1;
        const { name } = permit.credential;
        const found = view(name);
        const secret = SecretBytes.fromUtf8(o.secrets?.[name] ?? '');
        return { name, version: 1, ...found?.binding, secret, [Symbol.dispose]: () => secret.wipe() };
      },
      onChanged: (listener: never) => {
        onChanged = listener;
        return () => undefined;
      },
      sealBlob: (_context: string, bytes: Uint8Array) => Uint8Array.from(bytes),
      openBlob: (_context: string, bytes: Uint8Array) => new SecretBytes(Uint8Array.from(bytes)),
      deriveKey: (names: readonly string[]) =>
        new SecretBytes(Uint8Array.from(createHash('sha256').update(names.join('\n')).digest())),
    },
    detector: {
      inspect: async () => ({
        effect: 'allow',
        score: 0,
        findings: [],
        retryAfterMs: null,
        late: false,
        ...o.inspect?.(),
      }),
      observe: async () => [],
      toolList: () => ({ push: () => undefined }),
      bait: { listing: async () => [], wants: () => false },
      plantInResult: async () => null,
      riskOf: () => NO_RISK,
      outboundScanner: () => ({
        push: (bytes: Uint8Array) =>
          o.outboundFinding?.(bytes) === true
            ? {
                check: 'decoy.sent',
                title: 'A decoy left',
                severity: 'critical',
                score: 1,
                evidence: '',
                references: [],
                decoy: { id: 'decoy_1', sid: null, plantedAt: 0 },
              }
            : null,
        end: () => null,
      }),
      inspectStray: () => [],
      recordRefusal: () => undefined,
    },
    audit,
    raise: () => null,
    services,
    clock: systemClock,
  };
  const gateway = await openGateway({
    ...(fakes as unknown as GatewayOptions),
    listen: { host: '127.0.0.1', port: 0 },
    publicUrl: null,
    controlUrl: 'http://127.0.0.1:8470',
    resourceMetadata: () => ({ resource: 'test' }),
    authorityFile: join(directory, 'gateway-ca.json'),
    requestTimeoutMs: 5_000,
    upstreamTimeoutMs: 5_000,
    connectTimeoutMs: 2_000,
    inspectBodyBytes: 1024 * 1024,
    detectorDeadlineMs: 100,
    ...(o.resolve === undefined ? {} : { resolve: o.resolve }),
    ...(o.dial === undefined ? {} : { dial: o.dial }),
    ...o.options,
  });
  return {
    gateway,
    events,
    opened: () => openedCount,
    revoke: () => {
      revoked = true;
      onRevoked?.(() => true);
    },
    changeCredential: (name) => onChanged?.({ tenant: 'default', name }),
    of: (type) => events.filter((event) => event.type === type) as never,
    close: async () => {
      await gateway.close({ graceMs: 0 });
      await services.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** What came back on a raw connection until it closed or fell silent. */
export interface RawAnswer {
  readonly text: string;
  readonly status: number | null;
  readonly closed: boolean;
}

/** Sends bytes to a port and reads what comes, until the peer closes or nothing comes for `quietMs`. */
export function sendRaw(
  port: number,
  parts: readonly (string | Uint8Array)[],
  o: { readonly quietMs?: number; readonly end?: boolean; readonly head?: boolean } = {},
): Promise<RawAnswer> {
  const socket = connect(port, '127.0.0.1');
  for (const part of parts) socket.write(part);
  if (o.end === true) socket.end();
  return readRaw(socket, o.quietMs ?? 1_000, (text) => o.head === true && text.includes('\r\n\r\n'));
}

export function readRaw(
  socket: Socket,
  quietMs: number,
  done: (text: string) => boolean = () => false,
  destroy = true,
): Promise<RawAnswer> {
  return new Promise((resolve) => {
    let text = '';
    const finish = (closed: boolean) => {
      clearTimeout(timer);
      socket.off('data', onData).off('close', onClose).off('end', onClose);
      if (!closed && destroy) socket.destroy();
      resolve({ text, status: statusOf(text), closed });
    };
    const onData = (bytes: Buffer) => {
      text += bytes.toString('latin1');
      if (done(text)) finish(false);
      else timer.refresh();
    };
    const onClose = () => finish(true);
    const timer = setTimeout(() => finish(false), quietMs);
    socket.on('error', () => undefined);
    socket.on('data', onData).on('close', onClose).on('end', onClose);
  });
}

export function statusOf(text: string): number | null {
  const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
  return status === undefined ? null : Number(status);
}
