import http from 'node:http';
import zlib from 'node:zlib';
import type { openUpstream } from '../../test/support/leak-gateway.ts';
import { pairs } from '../../test/support/leak-gateway.ts';
import type { LeakTransport } from '../../test/support/leak-transport.ts';

const TIMEOUT_MS = 5_000;
const DECODERS: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: (bytes) => zlib.gunzipSync(bytes),
  deflate: (bytes) => zlib.inflateSync(bytes),
  br: (bytes) => zlib.brotliDecompressSync(bytes),
  zstd: (bytes) => zlib.zstdDecompressSync(bytes),
};

/** Carries an answer through a proxy to a client that decodes as clients do. */
export function peerTransport(
  proxyPort: number,
  mode: 'forward' | 'reverse',
  upstream: Awaited<ReturnType<typeof openUpstream>>,
): LeakTransport {
  const agent = new http.Agent({ keepAlive: true });
  return (echo) => {
    upstream.answerWith(echo);
    return new Promise((resolve, reject) => {
      const host = `127.0.0.1:${upstream.port}`;
      const headers = { host, 'accept-encoding': 'gzip, deflate, br, zstd' };
      const request = http.get({
        port: proxyPort,
        host: '127.0.0.1',
        path: mode === 'forward' ? `http://${host}/answer` : '/answer',
        agent,
        headers,
      });
      request.setTimeout(TIMEOUT_MS, () => request.destroy(new Error('no answer')));
      request.on('error', reject);
      request.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const bytes = Buffer.concat(chunks);
          const decode = DECODERS[response.headers['content-encoding'] ?? ''];
          resolve({
            reason: response.statusMessage ?? '',
            headers: pairs(response.rawHeaders).filter(
              ([name]) =>
                name.toLowerCase() !== 'content-encoding' && name.toLowerCase() !== 'content-length',
            ),
            interim: [],
            trailers: pairs(response.rawTrailers),
            body: decode === undefined ? bytes : decode(bytes),
          });
        });
      });
    });
  };
}
