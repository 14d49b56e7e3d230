import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

const LARGE = Buffer.alloc(256 * 1024, 'large ');
const WORDS = 'The order of last week was sent on Monday and is on its way to the warehouse in the north. ';

/** Answers as services do: short, long, compressed, as a stream of events, with an error. Keeps the paths it saw. */
export async function openSoakUpstream(): Promise<{
  readonly port: number;
  /** Paths of calls that went through; taken away as they are read. */
  takeSeen(): string[];
  close(): void;
}> {
  let seen: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    seen.push(path);
    request.resume();
    const [, kind = '', name = ''] = path.split('/');
    request.once('end', () => answer(kind, name, response));
  });
  server.keepAliveTimeout = 30_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    takeSeen: () => {
      const taken = seen;
      seen = [];
      return taken;
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Each text has a name in it, so that none was read before. */
function answer(kind: string, name: string, response: ServerResponse): void {
  switch (kind) {
    case 'large':
      response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(LARGE);
      return;
    case 'gzip':
      response
        .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
        .end(gzipSync(JSON.stringify({ name, answer: WORDS.repeat(40) })));
      return;
    case 'events':
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (let at = 0; at < 5; at++) response.write(`data: {"at":${at},"name":"${name}"}\n\n`);
      setTimeout(() => response.end('data: done\n\n'), 30);
      return;
    case 'error':
      response.writeHead(500, { 'content-type': 'application/json' }).end('{"error":"no"}');
      return;
    default:
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ name, answer: WORDS }));
  }
}
