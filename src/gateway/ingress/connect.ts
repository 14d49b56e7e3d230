import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import { type Origin, Refusal, type Service } from '../../core/index.ts';
import { clientCertificate, type VerifiedPassport } from '../../passport/index.ts';
import { isLoopback } from '../egress/addresses.ts';
import { checkHost } from '../egress/destination.ts';
import type { Flight } from '../in-flight.ts';
import type { Line, Story } from '../line.ts';
import { recordRefusal } from '../refused.ts';
import { refuseStrayDecoy, verifyPassport } from '../steps.ts';
import { formatAuthority, parseAuthority } from './authority.ts';
import { valuesOf } from './fields.ts';
import { cameThroughProxy } from './forwarded.ts';
import { PROXY_FIELDS, presentedPassport } from './passport-fields.ts';
import type { RequestHead } from './request-head.ts';
import type { Tunnel } from './tunnel.ts';

export interface TunnelTools {
  /**
   * The certificate to show for a host, by an authority that the session trusts. `bySession`: the client says that it
   * trusts its session's, which a gate that has started since does not know by itself.
   */
  readonly contextFor: (
    passport: VerifiedPassport,
    host: string,
    bySession: boolean,
  ) => Promise<SecureContext>;
  /** How long a client may take to begin TLS, and to finish the handshake. */
  readonly handshakeTimeoutMs: number;
}

interface Opening {
  readonly line: Line;
  readonly tools: TunnelTools;
  readonly story: Story;
  readonly head: RequestHead;
  readonly socket: Socket;
  /** Bytes that came with the request already. */
  readonly first: Buffer;
}

/**
 * CONNECT: one proof for a tunnel (`htm` CONNECT, `htu` the authority), then TLS that ends here, then requests
 * through the same parser as everywhere. CONNECT authority, TLS server name and Host must name one place, and
 * exactly one service lives there (rule 6 of docs/guarantees.md).
 */
export async function openTunnel(
  opening: Opening,
  enter: (socket: Socket, tunnel: Tunnel) => void,
): Promise<void> {
  const { line, story, head, socket } = opening;
  const { host, port } = parseConnectTarget(head);
  const presented = presentedPassport(head.headers, PROXY_FIELDS, {
    htm: 'CONNECT',
    htu: formatAuthority(host, port),
    loopback: isLoopback(socket.remoteAddress ?? '') && !cameThroughProxy(head.headers),
    x5t: clientCertificate(socket)?.x5t ?? null,
  });
  const passport = await verifyPassport(line, story, presented);
  const schemes = schemesAt(line, passport.subject.tenant, host, port);
  if (schemes.size === 0) {
    await refuseStrayDecoy(line, story, passport, formatAuthority(host, port));
    throw new Refusal('service_unknown');
  }
  const flight = line.inFlight.begin('tunnel', passport, () => socket.destroy());
  socket.once('close', () => line.inFlight.end(flight));
  socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
  // From here on the client speaks TLS or HTTP inside; a problem document would be neither.
  const token = presented?.token ?? null;
  await handshake(opening, { host, port, schemes, passport, token, flight }, enter).catch(
    async (error: unknown) => {
      const refusal = error instanceof Refusal ? error : new Refusal('request_malformed', { cause: error });
      await recordRefusal(line, story, refusal);
      socket.destroy();
    },
  );
}

function parseConnectTarget(head: RequestHead): { readonly host: string; readonly port: number } {
  const { host, port } = parseAuthority(head.target);
  if (port === null) throw new Refusal('authority_invalid', { detail: 'A CONNECT target needs a port.' });
  if (head.contentLength !== null || head.chunked) {
    throw new Refusal('request_malformed', { detail: 'A CONNECT request has no body.' });
  }
  // Clients send the Host with or without the port.
  if (head.host.host !== host || (head.host.port ?? port) !== port) throw new Refusal('authority_mismatch');
  return { host, port };
}

/** The schemes under which a service lives at this place; empty: none does. Throws `destination_private`. */
function schemesAt(
  line: Line,
  tenant: string,
  host: string,
  port: number,
): ReadonlyMap<Origin['scheme'], Service> {
  const schemes = new Map<Origin['scheme'], Service>();
  for (const scheme of ['https', 'http'] as const) {
    const service = line.services.byOrigin(tenant, { scheme, host, port });
    if (service !== null) schemes.set(scheme, service);
  }
  const [first] = schemes.values();
  if (first === undefined) return schemes;
  const view = first.credential === null ? null : line.vault.describe(tenant, first.credential);
  checkHost(host, view?.binding ?? first);
  return schemes;
}

interface Place {
  readonly host: string;
  readonly port: number;
  readonly schemes: ReadonlyMap<Origin['scheme'], Service>;
  readonly passport: VerifiedPassport;
  readonly token: string | null;
  readonly flight: Flight;
}

const TLS_HANDSHAKE = 0x16;

async function handshake(
  { tools, socket, first, head }: Opening,
  { host, port, schemes, passport, token }: Place,
  enter: (socket: Socket, tunnel: Tunnel) => void,
): Promise<void> {
  const start = first.length > 0 ? first : await firstBytes(socket, tools.handshakeTimeoutMs);
  const scheme = start[0] === TLS_HANDSHAKE ? 'https' : 'http';
  if (!schemes.has(scheme)) {
    throw new Refusal('protocol_unsupported', {
      detail: `The service at this place does not speak ${scheme}.`,
    });
  }
  const tunnel: Tunnel = { passport, token, host, port, scheme };
  if (scheme === 'http') {
    enter(socket, tunnel);
    // Node's server reads from the handle itself: bytes that were put back (unshift) would never reach it.
    socket.emit('data', start);
    socket.resume();
    return;
  }
  socket.unshift(start);
  const bySession = valuesOf(head.headers, 'sallyport-authority').includes('session');
  const context = await tools.contextFor(passport, host, bySession);
  enter(await acceptTls(socket, context, host, tools.handshakeTimeoutMs), tunnel);
}

function firstBytes(socket: Socket, timeoutMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const finish = (error: Refusal | null, bytes: Buffer | null) => {
      clearTimeout(timer);
      socket.off('data', onData).off('close', onClose).pause();
      if (error === null && bytes !== null) resolve(bytes);
      else reject(error);
    };
    const onData = (bytes: Buffer) => finish(null, bytes);
    const onClose = () => finish(new Refusal('client_gone'), null);
    const timer = setTimeout(() => finish(new Refusal('request_timeout'), null), timeoutMs);
    socket.once('data', onData).once('close', onClose);
  });
}

function acceptTls(
  raw: Socket,
  secureContext: SecureContext,
  host: string,
  timeoutMs: number,
): Promise<TLSSocket> {
  // RFC 6066 section 3: a client sends no server name for an address.
  const expected = /[:]|^[0-9.]+$/.test(host) ? null : host;
  const socket = new TLSSocket(raw, {
    isServer: true,
    secureContext,
    ALPNProtocols: ['http/1.1'],
    SNICallback: (name, callback) => {
      if (name.toLowerCase() === expected) callback(null, secureContext);
      else callback(new Refusal('authority_mismatch', { detail: 'The TLS server name is another host.' }));
    },
  });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => fail(new Refusal('request_timeout')), timeoutMs);
    const fail = (error: Error) => {
      clearTimeout(timer);
      raw.destroy();
      reject(
        error instanceof Refusal
          ? error
          : new Refusal('request_malformed', {
              detail: 'TLS failed.',
              cause: error,
              internal: error.message,
            }),
      );
    };
    const gone = () => fail(new Refusal('client_gone', { internal: 'closed during the TLS handshake' }));
    socket.once('error', fail).once('close', gone);
    socket.once('secure', () => {
      clearTimeout(timer);
      socket.off('error', fail).off('close', gone);
      // Without a server name nothing in the handshake says where the client means to be.
      if (expected !== null && serverName(socket) !== expected) {
        fail(new Refusal('authority_mismatch', { detail: 'The TLS client names no server.' }));
        return;
      }
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}

function serverName(socket: TLSSocket): string | null {
  const name: unknown = Reflect.get(socket, 'servername');
  return typeof name === 'string' ? name.toLowerCase() : null;
}
