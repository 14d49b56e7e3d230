import { randomBytes } from 'node:crypto';
import { Child } from '../lib/child.ts';
import type { AgentSpec } from '../load/requests.ts';
import type { BenchService } from '../sallyport/service.ts';
import { get } from './stage.ts';
import type { Target } from './target.ts';
import type { Variant } from './variants.ts';

interface Place {
  readonly host: string;
  readonly http: number;
  readonly https: number;
  readonly ca: string;
}

const PATH = '/s/plain/bench';

/** Sets the service up as an administrator would, and says how agents reach it: reverse, and intercepted. */
export async function sallyportTargets(
  service: BenchService,
  place: Place,
  variant: Variant,
): Promise<{ readonly targets: readonly Target[]; stop(): Promise<void> }> {
  const agent = await setUp(service, place);
  if (variant.auth === 'bearer') {
    return { targets: await bearerTargets(service, place, agent, variant), stop: async () => {} };
  }
  const relay = await Child.start('sallyport/relay.ts', { agent, gatewayUrl: service.gatewayUrl });
  return { targets: boundTargets(service, place, agent, relay, variant), stop: () => relay.stop() };
}

async function setUp(service: BenchService, { host, http, https, ca }: Place): Promise<AgentSpec> {
  const place = { allowPrivate: true, credential: 'bench-key' };
  await service.admin('PUT', '/services/plain', { ...place, origins: [`http://${host}:${http}`] });
  await service.admin('PUT', '/services/secure', {
    ...place,
    credential: 'bench-key-tls',
    origins: [`https://${host}:${https}`],
    upstreamCa: ca,
  });
  for (const [name, at] of [
    ['bench-key', 'plain'],
    ['bench-key-tls', 'secure'],
  ] as const) {
    const secret = `fake-${randomBytes(18).toString('base64url')}`;
    await service.admin('PUT', `/credentials/${name}`, {
      services: [at],
      injector: { kind: 'bearer' },
      secret,
    });
  }
  return service.addAgent('bench', ['plain:read', 'plain:write', 'secure:read', 'secure:write']);
}

/** Passports bound by DPoP: a proof for each request, or the relay with one for each tunnel. */
function boundTargets(
  service: BenchService,
  { host, https }: Place,
  agent: AgentSpec,
  relay: Child,
  variant: Variant,
): readonly Target[] {
  const { port, password, username } = relay.ready;
  const basic = Buffer.from(`${username}:${password}`).toString('base64');
  return [
    {
      labels: {
        ...labelsOf('reverse', variant),
        note: 'a fresh proof, policy, detector, scrubbing and two records for each request',
      },
      scheme: 'http',
      route: { port: service.gatewayPort, tunnel: null, tls: null },
      request: {
        kind: 'dpop',
        head: get(PATH, new URL(service.gatewayUrl).host).slice(0, -2),
        htm: 'GET',
        htu: `${service.gatewayUrl}${PATH}`,
        agent,
      },
      pids: [service.pid],
    },
    {
      labels: {
        ...labelsOf('intercept', variant),
        note: 'through the relay of `sallyport run`; policy, detector, scrubbing and two records for each request',
      },
      scheme: 'https',
      route: {
        port: Number(port),
        tunnel: { authority: `${host}:${https}`, fields: `proxy-authorization: Basic ${basic}\r\n` },
        tls: { servername: host, ca: String(relay.ready.ca) },
      },
      request: { kind: 'fixed', bytes: get('/bench', `${host}:${https}`) },
      pids: [service.pid, relay.pid],
    },
  ];
}

/** Passports bound to nothing, which an administrator allowed on loopback: no proofs, and no relay. */
async function bearerTargets(
  service: BenchService,
  { host, https }: Place,
  agent: AgentSpec,
  variant: Variant,
): Promise<readonly Target[]> {
  const { certificatePem } = await service.admin('POST', '/ca/export');
  const note = 'a passport bound to no key (gateway.bearer: loopback)';
  return [
    {
      labels: { ...labelsOf('reverse', variant), note },
      scheme: 'http',
      route: { port: service.gatewayPort, tunnel: null, tls: null },
      request: {
        kind: 'bearer',
        head: get(PATH, new URL(service.gatewayUrl).host).slice(0, -2),
        agent,
      },
      pids: [service.pid],
    },
    {
      labels: { ...labelsOf('intercept', variant), note: `${note}, shown to the gateway without a relay` },
      scheme: 'https',
      route: {
        port: service.gatewayPort,
        tunnel: { authority: `${host}:${https}`, fields: '', bearer: agent },
        tls: { servername: host, ca: String(certificatePem) },
      },
      request: { kind: 'fixed', bytes: get('/bench', `${host}:${https}`) },
      pids: [service.pid],
    },
  ];
}

/** Members of a row of the gate. */
export function labelsOf(mode: 'reverse' | 'intercept', { auth, guard, audit }: Variant) {
  return { name: `sallyport-${mode}`, mode, auth, guard, audit };
}
