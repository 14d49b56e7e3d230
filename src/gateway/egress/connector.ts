import net from 'node:net';
import tls from 'node:tls';
import type { PinnedDestination } from './destination.ts';

/** Opens a TCP connection to an address. */
export type Dial = (to: { readonly host: string; readonly port: number }) => net.Socket;

export const systemDial: Dial = (to) => net.connect({ ...to, noDelay: true });

export interface ConnectorOptions {
  readonly dial: Dial;
  readonly destination: PinnedDestination;
  /** PEM that the certificate must chain to; null: the authorities that Node ships with. */
  readonly upstreamCa: string | null;
  readonly connectTimeoutMs: number;
}

/**
 * Connects to the pinned addresses and to nothing else, one after the other until one answers. TLS is always
 * verified, and by name: a pinned address proves nothing about who is there.
 */
export async function connectPinned(options: ConnectorOptions): Promise<net.Socket> {
  let last: unknown;
  for (const address of options.destination.addresses) {
    try {
      return await open(address, options);
    } catch (error) {
      last = error;
      // A host that answers with a wrong certificate is not asked again at its next address.
      if (!isUnreachable(error)) break;
    }
  }
  throw last;
}

function isUnreachable(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return code === 'ECONNREFUSED' || code === 'ENETUNREACH' || code === 'EHOSTUNREACH' || code === 'ETIMEDOUT';
}

function open(
  address: string,
  { destination, upstreamCa, connectTimeoutMs, dial }: ConnectorOptions,
): Promise<net.Socket> {
  const { scheme, host, port } = destination.origin;
  const raw = dial({ host: address, port });
  const socket = scheme === 'http' ? raw : startTls(raw, net.isIP(host) === 0 ? host : address, upstreamCa);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.destroy(Object.assign(new Error('the connection was not made in time'), { code: 'ETIMEDOUT' }));
    }, connectTimeoutMs);
    const done = () => {
      clearTimeout(timer);
      socket.off('error', fail);
      resolve(socket);
    };
    const fail = (error: Error) => {
      clearTimeout(timer);
      reject(error);
    };
    socket.once(scheme === 'https' ? 'secureConnect' : 'connect', done).once('error', fail);
    // A TCP fault under a TLS socket is told on the TCP socket alone; without a listener it would end the process.
    if (socket !== raw) raw.on('error', fail);
  });
}

/** `name` is what the certificate must be for; a server name is sent for names alone (RFC 6066 section 3). */
function startTls(raw: net.Socket, name: string, upstreamCa: string | null): tls.TLSSocket {
  return tls.connect({
    socket: raw,
    host: name,
    ...(net.isIP(name) === 0 ? { servername: name } : {}),
    ...(upstreamCa === null ? {} : { ca: upstreamCa }),
    ALPNProtocols: ['http/1.1'],
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
  });
}
