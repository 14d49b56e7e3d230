import net from 'node:net';
import tls from 'node:tls';
import { type Trust, trustOption } from '../trust.ts';

const CONNECT_TIMEOUT_MS = 10_000;

interface Reached {
  readonly gateway: URL;
  readonly trust: Trust;
}

/**
 * A fresh connection to the gateway. It may be half open: what Node's own agent makes would close our
 * direction as soon as the gateway has finished its own, and cut an upload that still runs in a tunnel.
 */
export function connectToGateway({ gateway, trust }: Reached): net.Socket {
  const secure = gateway.protocol === 'https:';
  const address = {
    // URL keeps the brackets of an IPv6 address; a socket wants it without.
    host: gateway.hostname.replace(/^\[|\]$/g, ''),
    port: Number(gateway.port || (secure ? 443 : 80)),
    allowHalfOpen: true,
  };
  const socket = secure
    ? tls.connect({
        ...address,
        ...trustOption(trust),
        ...(net.isIP(address.host) ? {} : { servername: address.host }),
      })
    : net.connect(address);
  socket.setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy(new Error('the gateway does not answer')));
  socket.once(secure ? 'secureConnect' : 'connect', () => socket.setTimeout(0));
  socket.setNoDelay(true);
  return socket;
}
