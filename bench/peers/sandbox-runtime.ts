import { createRequire } from 'node:module';
import type { AddressInfo, Server } from 'node:net';
import { dirname, join } from 'node:path';
import { childInput, tellReady } from '../lib/child.ts';
import type { PeerInput } from './peer.ts';

interface MitmCa {
  readonly certPem: string;
}

interface SandboxProxy {
  createHttpProxyServer(o: {
    filter(port: number, host: string): boolean;
    mitmCA: MitmCa;
    mutateHeaders(headers: Record<string, unknown>): void;
    mutateHeadersPlaintext?: (headers: Record<string, unknown>) => void;
    tlsTerminateUpstreamCA?: string;
  }): Server;
}

/** The proxy of @anthropic-ai/sandbox-runtime as its manager uses it, with a header put in. */
const { secret, upstreamCa, plain } = childInput<PeerInput>();
const inside = join(
  dirname(createRequire(import.meta.url).resolve('@anthropic-ai/sandbox-runtime')),
  'sandbox',
);
const { createHttpProxyServer } = (await import(join(inside, 'http-proxy.js'))) as SandboxProxy;
const { createMitmCA } = (await import(join(inside, 'mitm-ca.js'))) as { createMitmCA(o: object): MitmCa };
const mitmCA = createMitmCA({});
const putIn = (headers: Record<string, unknown>) => {
  headers.authorization = `Bearer ${secret}`;
};
const server = createHttpProxyServer({
  filter: () => true,
  mitmCA,
  mutateHeaders: putIn,
  ...(plain === true ? { mutateHeadersPlaintext: putIn } : { tlsTerminateUpstreamCA: upstreamCa }),
});
server.listen(0, '127.0.0.1', () => {
  tellReady({ port: (server.address() as AddressInfo).port, ca: mitmCA.certPem });
});
