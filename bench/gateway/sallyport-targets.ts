import { randomBytes } from 'node:crypto';
import { Child } from '../lib/child.ts';
import type { BenchService } from '../sallyport/service.ts';
import { get } from './stage.ts';
import type { Target } from './target.ts';

interface Place {
  readonly host: string;
  readonly http: number;
  readonly https: number;
  readonly ca: string;
}

/** Sets the service up as an administrator would, and says how agents reach it: reverse, and intercepted. */
export async function sallyportTargets(
  service: BenchService,
  { host, http, https, ca }: Place,
  audit: 'process' | 'power',
): Promise<{ readonly targets: readonly Target[]; readonly relay: Child }> {
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
  const agent = await service.addAgent('bench', ['plain:read', 'plain:write', 'secure:read', 'secure:write']);
  const relay = await Child.start('sallyport/relay.ts', { agent, gatewayUrl: service.gatewayUrl });
  const { port, password, username } = relay.ready;
  const basic = Buffer.from(`${username}:${password}`).toString('base64');
  const common = { auth: 'dpop', guard: 'off', audit } as const;
  const gatewayHost = new URL(service.gatewayUrl).host;
  const path = '/s/plain/bench';
  return {
    relay,
    targets: [
      {
        labels: {
          name: 'sallyport-reverse',
          mode: 'reverse',
          ...common,
          note: 'a fresh proof, policy, scrubbing and two records for each request',
        },
        scheme: 'http',
        route: { port: service.gatewayPort, tunnel: null, tls: null },
        request: {
          kind: 'dpop',
          head: get(path, gatewayHost).slice(0, -2),
          htm: 'GET',
          htu: `${service.gatewayUrl}${path}`,
          agent,
        },
        pids: [service.pid],
      },
      {
        labels: {
          name: 'sallyport-intercept',
          mode: 'intercept',
          ...common,
          note: 'through the relay of `sallyport run`; policy, scrubbing and two records for each request',
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
    ],
  };
}
