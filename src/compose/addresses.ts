import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** Where a listener is bound, and the origin under which clients know it. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly url: string;
}

/**
 * The address of a listener before it is opened. The issuer's name and the passports' audience hold ports, so a
 * port that is left to the system (0) has to be found first.
 */
export async function addressOf(o: {
  readonly host: string;
  readonly port: number;
  readonly publicUrl: string | null;
  readonly tlsCertificateFile: string | null;
}): Promise<Address> {
  const port = o.port === 0 ? await freePort(o.host) : o.port;
  const host = o.host.includes(':') ? `[${o.host}]` : o.host;
  const scheme = o.tlsCertificateFile === null ? 'http' : 'https';
  return { host: o.host, port, url: new URL(o.publicUrl ?? `${scheme}://${host}:${port}`).origin };
}

async function freePort(host: string): Promise<number> {
  const probe = createServer();
  probe.listen(0, host);
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
