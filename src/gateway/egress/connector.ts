import net from 'node:net';
import tls from 'node:tls';
import type { buildConnector } from 'undici';
import type { PinnedDestination } from './destination.ts';

export interface ConnectorOptions {
  readonly destination: PinnedDestination;
  /** PEM that the certificate must chain to; null: the authorities that Node ships with. */
  readonly upstreamCa: string | null;
  readonly connectTimeoutMs: number;
}

/**
 * Connects to the pinned addresses and to nothing else, one after the other until one answers. TLS is always
 * verified, and by name: a pinned address proves nothing about who is there.
 */
export function pinnedConnector(options: ConnectorOptions): buildConnector.connector {
  return (_options, callback) => {
    connect(options).then(
      (socket) => callback(null, socket),
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), null),
    );
  };
}

async function connect(options: ConnectorOptions): Promise<net.Socket> {
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
  { destination, upstreamCa, connectTimeoutMs }: ConnectorOptions,
): Promise<net.Socket> {
  const { scheme, host, port } = destination.origin;
  const isName = net.isIP(host) === 0;
  const socket =
    scheme === 'https'
      ? tls.connect({
          host: address,
          port,
          ...(isName ? { servername: host } : {}),
          ...(upstreamCa === null ? {} : { ca: upstreamCa }),
          ALPNProtocols: ['http/1.1'],
          minVersion: 'TLSv1.2',
          rejectUnauthorized: true,
        })
      : net.connect({ host: address, port });
  socket.setNoDelay(true);
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
  });
}
