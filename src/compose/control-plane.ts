import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import express, { type Express, type RequestHandler } from 'express';
import { referencePage } from '../admin/index.ts';
import { LIMITS } from '../core/index.ts';
import type { ListenerTls } from '../gateway/index.ts';
import type { Address } from './addresses.ts';
import type { Readiness } from './watch/index.ts';

const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;

export interface ControlPlane {
  close(): Promise<void>;
}

/** Listens with the admin API and the issuer. Rejects when the port is taken. */
export async function openControlPlane(o: {
  readonly address: Address;
  readonly admin: RequestHandler;
  readonly issuer: RequestHandler;
  /** Pages for browsers: sign-in, approvals, consent. */
  readonly pages: RequestHandler;
  /** Null: plain HTTP. */
  readonly tls: ListenerTls | null;
  readonly readiness: Readiness;
}): Promise<ControlPlane> {
  const app = express();
  app.disable('x-powered-by');
  app.get('/healthz', (_request, response) => void response.json({ status: 'ok' }));
  app.get('/readyz', (_request, response, next) => {
    o.readiness.ask().then(({ ready, parts }) => {
      response.set('cache-control', 'no-store').status(ready ? 200 : 503);
      response.json({ status: ready ? 'ready' : 'not_ready', parts });
    }, next);
  });
  app.use('/admin/v1', o.admin);
  app.get('/reference', referencePage);
  app.use(o.pages);
  app.use(o.issuer);
  const server = makeServer(o.tls, app);
  server.listen(o.address.port, o.address.host);
  await once(server, 'listening');
  return { close: () => closeServer(server) };
}

function makeServer(tls: ListenerTls | null, app: Express): Server | TlsServer {
  const options = {
    maxHeaderSize: LIMITS.headBytes,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
  };
  if (tls === null) return createServer(options, app);
  const server = createTlsServer(
    {
      ...options,
      ...tls.options,
      ALPNProtocols: ['http/1.1'],
      handshakeTimeout: HEADERS_TIMEOUT_MS,
      // Self-signed ones are welcome: which certificate is an agent's stands in the registry.
      requestCert: tls.clientCertificates,
      rejectUnauthorized: false,
    },
    app,
  );
  tls.attach((context) => server.setSecureContext(context));
  return server;
}

async function closeServer(server: Server | TlsServer): Promise<void> {
  server.close();
  server.closeIdleConnections();
  // Long polls (approval wait, audit tail) end with the process; nothing that is acknowledged is lost by it.
  server.closeAllConnections();
  if (server.listening) await once(server, 'close');
}
