import type { AddressInfo } from 'node:net';
import type { Approvals } from '../approvals/index.ts';
import type { AuditLog } from '../audit/index.ts';
import { type Clock, type JsonObject, Refusal } from '../core/index.ts';
import type { PassportVerifier, Revocations } from '../passport/index.ts';
import type { Vault } from '../vault/index.ts';
import { approvalGate } from './approval-gate.ts';
import { makeLeafKey } from './ca/certificate-authority.ts';
import { Leaves } from './ca/leaves.ts';
import { hostsOfPassport, SessionAuthorities } from './ca/session-authorities.ts';
import { StandingAuthority } from './ca/standing-authority.ts';
import { containment } from './contain.ts';
import { Doors } from './doors.ts';
import { type Dial, systemDial } from './egress/connector.ts';
import { EgressGuard, type Resolve } from './egress/destination.ts';
import { type GuardedAnswer, type GuardedRequest, guardedSend } from './egress/guarded-send.ts';
import { Pools } from './egress/pools.ts';
import {
  APPROVALS_PREFIX,
  approvalEndpoint,
  authorityEndpoint,
  decideEndpoint,
  type Endpoint,
  healthEndpoint,
  observeEndpoint,
  type ReadyReport,
  readyEndpoint,
  resourceEndpoint,
  servicesEndpoint,
} from './endpoints/index.ts';
import { NeedleCache } from './forward/needle-cache.ts';
import { InFlight } from './in-flight.ts';
import type { DetectorGate, Line, PolicyGate } from './line.ts';
import type { ListenerTls } from './listener.ts';
import { hostsOf, urlHost } from './own-hosts.ts';
import { GatewayServers } from './serve.ts';
import type { ServiceRegistry } from './services/registry.ts';

export interface GatewayOptions {
  readonly listen: { readonly host: string; readonly port: number };
  /** The certificate that the listener shows; null: plain HTTP. */
  readonly tls?: ListenerTls | null;
  /** Origin under which agents reach the gateway: the audience of passports. Null: from the port it got. */
  readonly publicUrl: string | null;
  /** Origin of the control plane, where approval pages are. */
  readonly controlUrl: string;
  readonly verifier: PassportVerifier;
  readonly revocations: Pick<Revocations, 'onRevoked' | 'revoke'>;
  /** The policies in force; see `policyGate`. */
  readonly policy: PolicyGate;
  readonly approvals: Pick<Approvals, 'request' | 'find' | 'use' | 'get' | 'wait'>;
  readonly vault: Pick<Vault, 'describe' | 'use' | 'onChanged' | 'sealBlob' | 'openBlob' | 'deriveKey'>;
  readonly detector: DetectorGate;
  readonly audit: Pick<AuditLog, 'append'>;
  /** Refusals of those without a passport; default: recorded like all others. */
  readonly recordStranger?: Line['recordStranger'];
  readonly raise: Line['raise'];
  readonly services: ServiceRegistry;
  /** Whether calls should be sent here, with what is ready and what is not; default: always. */
  readonly readiness?: () => Promise<ReadyReport>;
  /** RFC 9728 metadata of this resource. */
  readonly resourceMetadata: () => JsonObject;
  /** File of the longer-lived certificate authority, its key sealed. */
  readonly authorityFile: string;
  /** Ports of the gate beside the gateway's own: calls must not come back in through them. */
  readonly ownPorts?: readonly number[];
  readonly clock: Clock;
  /** Look-ups by name; the system's by default. */
  readonly resolve?: Resolve;
  /** Opens connections to checked addresses; the system's by default. */
  readonly dial?: Dial;
  readonly requestTimeoutMs: number;
  readonly upstreamTimeoutMs: number;
  readonly connectTimeoutMs?: number;
  readonly inspectBodyBytes: number;
  readonly detectorDeadlineMs: number;
  /** Longest answer that is passed on, bytes. */
  readonly maxResponseBytes?: number;
}

export interface Gateway {
  readonly port: number;
  readonly publicUrl: string;
  readonly services: ServiceRegistry;
  /** The longer-lived certificate authority, for clients that are set up once. */
  readonly authority: Pick<StandingAuthority, 'status' | 'export'>;
  /** One POST under the rules of egress, for webhooks. */
  readonly send: (request: GuardedRequest) => Promise<GuardedAnswer>;
  /** Takes no more calls, lets those in flight end for `graceMs`, cuts the rest; resolves with how many. */
  close(o: { readonly graceMs: number }): Promise<{ readonly callsCut: number }>;
}

const HANDSHAKE_TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** No answer is this long; one that pretends to be has another purpose. */
const MAX_RESPONSE_BYTES = 64 * 1024 ** 3;

/** Opens the data plane: resolves once it listens. Rejects when the port is taken. */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const { clock, services, vault, audit } = options;
  let closing = false;
  let revocations = 0;
  const isClosing = () => closing;
  let listening: number | null = null;
  const port = (): number => listening ?? options.listen.port;
  const publicUrl = (): string =>
    options.publicUrl ?? `${options.tls ? 'https' : 'http'}://${urlHost(options.listen.host)}:${port()}`;
  const egress = new EgressGuard({
    now: () => clock.now(),
    ownPorts: () => [port(), ...(options.ownPorts ?? [])],
    ...(options.resolve === undefined ? {} : { resolve: options.resolve }),
  });
  const dial = options.dial ?? systemDial;
  const pools = new Pools({
    dial,
    connectTimeoutMs: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
  });
  const inFlight = new InFlight();
  const needles = new NeedleCache();
  const sessions = new SessionAuthorities({ clock, deriveKey: (names) => vault.deriveKey(names) });
  const standing = new StandingAuthority({
    file: options.authorityFile,
    vault,
    clock,
    services: () => services.all(),
    audit: (event) => audit.append(event),
  });
  const leaves = new Leaves(await makeLeafKey(), () => clock.now());
  const settings = {
    controlUrl: options.controlUrl,
    get publicUrl() {
      return publicUrl();
    },
    inspectBodyBytes: options.inspectBodyBytes,
    detectorDeadlineMs: options.detectorDeadlineMs,
    upstreamTimeoutMs: options.upstreamTimeoutMs,
    maxResponseBytes: options.maxResponseBytes ?? MAX_RESPONSE_BYTES,
  };
  const line: Line = {
    services,
    verifier: options.verifier,
    policy: options.policy,
    approvals: approvalGate(options.approvals, settings),
    detector: options.detector,
    vault,
    audit,
    recordStranger: options.recordStranger ?? (async (event) => void (await audit.append(event))),
    raise: options.raise,
    contain: containment(options.revocations),
    egress,
    pools,
    needles,
    inFlight,
    clock,
    settings,
    epoch: () => `${options.policy.generation}.${services.generation}.${revocations}`,
  };
  const endpoints = new Map<string, Endpoint>([
    ['/healthz', healthEndpoint],
    ['/readyz', readyEndpoint(options.readiness ?? (async () => ({ ready: true, parts: {} })))],
    ['/.well-known/oauth-protected-resource', resourceEndpoint(options.resourceMetadata)],
    ['/v1/decide', decideEndpoint],
    ['/v1/observe', observeEndpoint],
    ['/v1/services', servicesEndpoint],
    ['/v1/ca', authorityEndpoint({ sessions, services, audit: (event) => audit.append(event) })],
    [APPROVALS_PREFIX, approvalEndpoint(APPROVALS_PREFIX)],
  ]);
  const ownHosts = (): ReadonlySet<string> => hostsOf(publicUrl(), options.listen.host, port());
  const servers: GatewayServers = new GatewayServers({
    line,
    doors: new Doors({ line, endpoints, requestTimeoutMs: options.requestTimeoutMs, ownHosts }),
    tunnels: {
      handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS,
      contextFor: async (passport, host, bySession) => {
        const hosts = bySession ? hostsOfPassport(passport, services) : [];
        if (hosts.includes(host)) await sessions.issue(passport, hosts);
        return leaves.context(sessions.of(passport, host) ?? (await standing.current()), host);
      },
    },
    tls: options.tls ?? null,
    requestTimeoutMs: options.requestTimeoutMs,
    isClosing,
  });

  const stopRevoked = options.revocations.onRevoked((matches) => {
    revocations += 1;
    inFlight.cut(({ passport }) => matches(passport), new Refusal('call_cut'));
  });
  const stopChanged = vault.onChanged(({ tenant, name }) => {
    const reason = new Refusal('call_cut', { detail: 'The credential of the call was changed or revoked.' });
    needles.forget(tenant, name);
    inFlight.cut((flight) => flight.passport.subject.tenant === tenant && flight.credential === name, reason);
    pools.destroyOf(tenant, name);
  });
  const stopServices = services.onChanged(() => egress.forget());

  await new Promise<void>((resolve, reject) => {
    servers.outer.once('error', reject);
    servers.outer.listen(options.listen.port, options.listen.host, () => {
      servers.outer.off('error', reject);
      listening = (servers.outer.address() as AddressInfo).port;
      resolve();
    });
  });
  return {
    port: port(),
    publicUrl: publicUrl(),
    services,
    authority: standing,
    send: (request) => guardedSend({ guard: egress, dial }, request),
    close: async ({ graceMs }) => {
      closing = true;
      const closed = new Promise<void>((resolve) => servers.outer.close(() => resolve()));
      servers.outer.closeIdleConnections();
      await inFlight.drain(graceMs);
      const callsCut = inFlight.cut(({ kind }) => kind === 'call', new Refusal('shutting_down'));
      inFlight.cut(() => true, new Refusal('shutting_down'));
      // What was cut gets a moment to write its record and its answer.
      await inFlight.drain(CUT_MS);
      // Not before: a revocation cuts what is still in flight, also now (G6).
      stopRevoked();
      stopChanged();
      stopServices();
      servers.outer.closeAllConnections();
      servers.inner.closeAllConnections();
      // It never listened, so that there is only its timer to stop.
      servers.inner.close(() => undefined);
      pools.close();
      await closed;
      needles.clear();
      return { callsCut };
    },
  };
}

const CUT_MS = 500;
