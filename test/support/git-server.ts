import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';

/** A real git server over HTTPS: git's own http-backend behind Node, asking for Basic credentials. */
export interface GitServer {
  readonly port: number;
  /** Values of the Authorization fields that arrived. */
  readonly seen: readonly string[];
  close(): Promise<void>;
}

export async function startGitServer(options: {
  readonly root: string;
  readonly tls: { readonly cert: string; readonly key: string };
  readonly authorization: string;
}): Promise<GitServer> {
  const seen: string[] = [];
  const server = createServer(options.tls, (request, response) => {
    const given = request.headers.authorization;
    if (given !== undefined) seen.push(given);
    if (given !== options.authorization) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end('authentication needed');
      return;
    }
    runBackend(options.root, request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, seen, close: () => closeServer(server) };
}

/** Speaks CGI (RFC 3875) to `git http-backend`. */
function runBackend(root: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'https://git.invalid');
  const backend = spawn('git', ['http-backend'], {
    env: {
      ...process.env,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      REQUEST_METHOD: request.method ?? 'GET',
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      REMOTE_USER: 'tester',
      ...(request.headers['content-encoding'] === undefined
        ? {}
        : { HTTP_CONTENT_ENCODING: request.headers['content-encoding'] }),
      ...(request.headers['git-protocol'] === undefined
        ? {}
        : { GIT_PROTOCOL: String(request.headers['git-protocol']) }),
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  request.pipe(backend.stdin);
  let head: Buffer | null = Buffer.alloc(0);
  backend.stdout.on('data', (chunk: Buffer) => {
    if (head === null) {
      response.write(chunk);
      return;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    const fields = head
      .subarray(0, end)
      .toString('latin1')
      .split('\r\n')
      .map((line) => line.split(/: ?(.*)/s));
    const status = fields.find(([name]) => name?.toLowerCase() === 'status')?.[1] ?? '200';
    response.statusCode = Number.parseInt(status, 10);
    for (const [name, value] of fields) {
      if (name !== undefined && value !== undefined && name.toLowerCase() !== 'status')
        response.setHeader(name, value);
    }
    response.write(head.subarray(end + 4));
    head = null;
  });
  backend.stdout.on('end', () => response.end());
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}
