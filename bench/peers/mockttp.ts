import { childInput, tellReady } from '../lib/child.ts';
import { loadPeer } from './load-peer.ts';
import type { PeerInput } from './peer.ts';

interface Mockttp {
  readonly port: number;
  start(): Promise<void>;
  forAnyRequest(): {
    thenPassThrough(o: {
      additionalTrustedCAs: readonly { cert: string }[];
      transformRequest: { updateHeaders: Record<string, string> };
    }): Promise<unknown>;
  };
}

interface Package {
  getLocal(o: object): Mockttp;
  generateCACertificate(): Promise<{ cert: string; key: string }>;
}

/** mockttp as a proxy that passes through, with a header put in. */
const { secret, upstreamCa } = childInput<PeerInput>();
const { getLocal, generateCACertificate } = await loadPeer<Package>('mockttp');
const authority = await generateCACertificate();
const server = getLocal({ https: authority, recordTraffic: false, http2: false });
await server.start();
await server.forAnyRequest().thenPassThrough({
  additionalTrustedCAs: upstreamCa === '' ? [] : [{ cert: upstreamCa }],
  transformRequest: { updateHeaders: { authorization: `Bearer ${secret}` } },
});
tellReady({ port: server.port, ca: authority.cert });
