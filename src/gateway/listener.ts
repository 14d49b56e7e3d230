import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import { LIMITS } from '../core/index.ts';

/** How long a client may take for the TLS handshake. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** Where the certificate of the listener comes from. */
export interface ListenerTls {
  /** Whether clients are asked for a certificate; one that is shown decides nothing by itself (RFC 8705). */
  readonly clientCertificates: boolean;
  readonly options: SecureContextOptions;
  /** `setContext` is to be called whenever there is a new certificate. */
  attach(setContext: (options: SecureContextOptions) => void): void;
}

/** A server with the limits of the data plane: one parser, whether it listens or serves what came through tunnels. */
export function makeServer(o: {
  /** Null: plain HTTP. */
  readonly tls: ListenerTls | null;
  readonly requestTimeoutMs: number;
  /** Told of each connection whose handshake is done. */
  readonly onSecured: (socket: TLSSocket) => void;
}): Server | TlsServer {
  const options = {
    insecureHTTPParser: false,
    maxHeaderSize: LIMITS.headBytes,
    // Our own check answers in our own words.
    requireHostHeader: false,
    headersTimeout: o.requestTimeoutMs,
    // Bodies may take as long as they flow; pauses are measured by the reader of the body.
    requestTimeout: 0,
    keepAliveTimeout: 30_000,
    connectionsCheckingInterval: Math.min(5_000, o.requestTimeoutMs),
    noDelay: true,
  };
  if (o.tls === null) return createServer(options);
  const server = createTlsServer({
    ...options,
    ...o.tls.options,
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    // Self-signed ones are welcome: which certificate it must be stands in the passport.
    requestCert: o.tls.clientCertificates,
    rejectUnauthorized: false,
  });
  o.tls.attach((context) => server.setSecureContext(context));
  server.on('secureConnection', o.onSecured);
  return server;
}
