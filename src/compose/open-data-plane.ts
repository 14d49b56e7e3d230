import { join } from 'node:path';
import { Deduplicator, raise } from '../alerts/index.ts';
import { type Gateway, type ListenerTls, openGateway, policyGate } from '../gateway/index.ts';
import { protectedResourceMetadata } from '../passport/index.ts';
import type { Vault } from '../vault/index.ts';
import type { Address } from './addresses.ts';
import type { Judges } from './open-judges.ts';
import type { Records, Wiring } from './service.ts';
import { countedUse, type Readiness } from './watch/index.ts';

export interface DataPlane {
  readonly gateway: Gateway;
  /** Closing twice (an orderly stop, then the stack) gives the answer of the first time. */
  close(): Promise<{ readonly callsCut: number }>;
}

/** The gateway, between the rooms that judge a call and the vault. */
export async function openDataPlane(
  { config, clock, stack }: Wiring,
  records: Records,
  o: {
    readonly judges: Judges;
    readonly vault: Vault;
    readonly addresses: { readonly control: Address; readonly gateway: Address };
    readonly tls: ListenerTls | null;
    readonly readiness: Readiness;
  },
): Promise<DataPlane> {
  const { services, keeper, approvals, detector, passport } = o.judges;
  const { control, gateway: own } = o.addresses;
  const { vault } = o;
  const repeats = new Deduplicator();
  const gateway = await openGateway({
    listen: { host: own.host, port: own.port },
    tls: o.tls,
    publicUrl: own.url,
    controlUrl: control.url,
    verifier: passport.verifier,
    revocations: passport.revocations,
    policy: policyGate(keeper),
    approvals,
    vault: {
      describe: (tenant, name) => vault.describe(tenant, name),
      use: countedUse(vault, () => records.meters),
      onChanged: (listener) => vault.onChanged(listener),
      sealBlob: (context, bytes) => vault.sealBlob(context, bytes),
      openBlob: (context, blob) => vault.openBlob(context, blob),
      deriveKey: (...given) => vault.deriveKey(...given),
    },
    detector,
    audit: { append: records.audit },
    recordStranger: (event) => records.strangers.record(event),
    readiness: () => o.readiness.ask(),
    raise: (findings) => {
      const alert = raise(findings);
      return alert === null ? null : repeats.admit(alert);
    },
    services,
    resourceMetadata: () =>
      protectedResourceMetadata({
        resource: own.url,
        issuer: control.url,
        scopes: [
          ...services.all().flatMap(({ name }) => [`${name}:read`, `${name}:write`]),
          // Where a thief looks for what is worth having.
          ...config.detector.decoys.scopes,
        ],
        bearer: config.gateway.bearer,
        mtls: config.tls.clientCertificates && config.gateway.tlsCertificateFile !== null,
      }),
    authorityFile: join(config.paths.keys, 'gateway-ca.json'),
    ownPorts: [control.port, ...(config.monitor.port === null ? [] : [config.monitor.port])],
    clock,
    requestTimeoutMs: config.gateway.requestTimeoutMs,
    upstreamTimeoutMs: config.gateway.upstreamTimeoutMs,
    inspectBodyBytes: config.gateway.inspectBodyBytes,
    detectorDeadlineMs: config.detector.deadlineMs,
  });
  let closing: ReturnType<Gateway['close']> | null = null;
  const close = () => {
    closing ??= gateway.close({ graceMs: config.gateway.drainMs });
    return closing;
  };
  stack.defer(async () => void (await close()));
  return { gateway, close };
}
