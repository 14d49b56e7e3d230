import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AuthorityKeeper } from './authority-keeper.ts';
import { pairs } from './fields.ts';
import { openTunnel, type TunnelAnswer } from './open-tunnel.ts';
import type { PassportHolder } from './passport-holder.ts';
import { NOT_A_PROXY_REQUEST, PASSWORD_NEEDED, type Problem, problemOf } from './problem.ts';
import type { ProxyPassword } from './proxy-password.ts';
import { splice } from './splice.ts';

/** Host (name, IPv4, or IPv6 in brackets) and port; the gateway looks at it more closely. */
const AUTHORITY = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):\d{1,5}$/;

/** Serves one CONNECT of the child. */
export async function serveTunnel(
  relay: {
    readonly holder: PassportHolder;
    readonly password: ProxyPassword;
    readonly authority: AuthorityKeeper;
  },
  request: IncomingMessage,
  client: Duplex,
  head: Buffer,
): Promise<void> {
  client.on('error', () => client.destroy());
  if (!relay.password.accepts(request.headers['proxy-authorization'])) return refuse(client, PASSWORD_NEEDED);
  const authority = request.url ?? '';
  if (!AUTHORITY.test(authority)) return refuse(client, NOT_A_PROXY_REQUEST);
  let answer: TunnelAnswer;
  try {
    answer = await openTunnel(relay.holder, authority);
  } catch (fault) {
    return refuse(client, problemOf(fault));
  }
  if (!answer.open) return passRefusal(client, answer);
  await relay.authority.cover(
    authority
      .replace(/:\d+$/, '')
      .replace(/^\[|\]$/g, '')
      .toLowerCase(),
  );
  if (client.destroyed) {
    answer.socket.destroy();
    return;
  }
  client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
  // Bytes that came together with the heads belong to the tunnel.
  if (answer.head.length > 0) client.write(answer.head);
  if (head.length > 0) answer.socket.write(head);
  splice(client, answer.socket);
}

/** The gateway's own words, then the end of the connection: no tunnel, no second request. */
function passRefusal(client: Duplex, refusal: Extract<TunnelAnswer, { open: false }>): void {
  const fields = pairs(refusal.rawHeaders)
    .filter(([name]) => !/^(proxy-)?connection$|^keep-alive$|^transfer-encoding$/i.test(name))
    .map(([name, value]) => `${name}: ${value}\r\n`);
  client.write(
    `HTTP/1.1 ${refusal.status} ${refusal.statusText}\r\n${fields.join('')}connection: close\r\n\r\n`,
    'latin1',
  );
  client.end(refusal.body);
}

function refuse(client: Duplex, { status, headers, body }: Problem): void {
  const fields = Object.entries({ connection: 'close', ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  client.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${fields.join('')}\r\n${body}`);
}
