import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childInput, tellReady } from '../lib/child.ts';
import { loadPeer } from './load-peer.ts';
import type { PeerInput } from './peer.ts';

interface Context {
  readonly proxyToServerRequestOptions: { readonly headers: Record<string, string> };
}

interface MitmProxy {
  httpPort: number;
  onError(handle: () => void): void;
  onRequest(handle: (context: Context, next: () => void) => void): void;
  listen(o: object, done: (fault?: Error) => void): void;
}

/** http-mitm-proxy with keep-alive on both sides and a header put in. */
const { secret, upstreamCa } = childInput<PeerInput>();
const { Proxy: MitmProxyClass } = await loadPeer<{ Proxy: new () => MitmProxy }>('http-mitm-proxy');
const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-mitm-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
process.on('SIGTERM', () => process.exit(0));
const proxy = new MitmProxyClass();
proxy.onError(() => undefined);
proxy.onRequest((context, next) => {
  context.proxyToServerRequestOptions.headers.authorization = `Bearer ${secret}`;
  next();
});
const httpsAgent = new Agent({ keepAlive: true, ...(upstreamCa === '' ? {} : { ca: upstreamCa }) });
proxy.listen({ host: '127.0.0.1', port: 0, sslCaDir: folder, keepAlive: true, httpsAgent }, (fault) => {
  if (fault) throw fault;
  tellReady({ port: proxy.httpPort, ca: readFileSync(join(folder, 'certs', 'ca.pem'), 'utf8') });
});
