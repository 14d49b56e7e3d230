import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { type Duplex, Readable } from 'node:stream';
import tls from 'node:tls';
import { type Authority, requestAuthority } from './authority.ts';
import { RelayFault } from './fault.ts';
import { pairs } from './fields.ts';
import { connectToGateway } from './gateway-socket.ts';
import { openTunnel, unreachable } from './open-tunnel.ts';
import type { RelayOptions } from './options.ts';
import { type Credentials, PassportHolder } from './passport-holder.ts';

export interface CallOptions extends RelayOptions {
  /** Upper case; default GET. */
  readonly method?: string;
  /** Fields in the order of the wire. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: Uint8Array | Readable;
}

export interface CallAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Readable;
}

/**
 * Makes one call as an agent. A whole URL goes through the gateway as through a proxy; a path (`/s/<service>/…`)
 * goes to the gateway itself. What the gateway refuses is an answer like any other (problem+json). Throws
 * RelayFault when no answer can be had, and TypeError when `target` is neither.
 */
export async function callOnce(target: string, options: CallOptions): Promise<CallAnswer> {
  const holder = await PassportHolder.open(options);
  if (target.startsWith('/')) return callService(holder, target, options);
  const url = URL.parse(target);
  if (url?.protocol === 'https:') return callThroughTunnel(holder, url, options);
  if (url?.protocol === 'http:') return callAbsolute(holder, url, options);
  throw new TypeError('give an https:// or http:// URL, or a path such as /s/<service>/…');
}

/** Reverse mode: an ordinary request with a DPoP-bound token (RFC 9449 section 7.1). */
function callService(holder: PassportHolder, path: string, options: CallOptions): Promise<CallAnswer> {
  const htu = `${holder.gateway.origin}${withoutQuery(path)}`;
  return callGateway(holder, htu, options, ({ authorization, proof }) => ({
    path,
    host: holder.gateway.host,
    fields: ['authorization', authorization, 'dpop', proof],
  }));
}

function callAbsolute(holder: PassportHolder, url: URL, options: CallOptions): Promise<CallAnswer> {
  const target = withoutFragment(url.href);
  return callGateway(holder, withoutQuery(target), options, ({ authorization, proof }) => ({
    path: target,
    host: url.host,
    fields: ['proxy-authorization', authorization, 'sallyport-dpop', proof],
  }));
}

async function callThroughTunnel(
  holder: PassportHolder,
  url: URL,
  options: CallOptions,
): Promise<CallAnswer> {
  const authority = await authorityOrFault(holder);
  const answer = await openTunnel(holder, `${url.hostname}:${url.port || '443'}`);
  if (!answer.open) {
    const { status, statusText, rawHeaders, body } = answer;
    return { status, statusText, headers: pairs(rawHeaders), body: Readable.from([body]) };
  }
  if (authority instanceof RelayFault) {
    answer.socket.destroy();
    throw authority;
  }
  if (answer.head.length > 0) answer.socket.unshift(answer.head);
  const secure = await secureTunnel(answer.socket, url, authority);
  return send(holder, options, {
    path: withoutFragment(`${url.pathname}${url.search}`),
    host: url.host,
    fields: [],
    connect: () => secure,
  });
}

/** Who is refused everything is told by the answer to the call, not by that to our own question. */
async function authorityOrFault(holder: PassportHolder): Promise<Authority | RelayFault> {
  try {
    return await requestAuthority(holder);
  } catch (fault) {
    if (fault instanceof RelayFault && fault.code === 'gateway_refused') return fault;
    throw fault;
  }
}

/** TLS to the gate that answers for the host: only its own authority is trusted inside a tunnel. */
async function secureTunnel(socket: Duplex, url: URL, authority: Authority): Promise<tls.TLSSocket> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const name = isIP(host) ? { host } : { servername: host };
  const secure = tls.connect({ socket, ca: [authority.certificatePem], ...name });
  try {
    await once(secure, 'secureConnect');
    return secure;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new RelayFault('gateway_malformed', `the gateway showed no good certificate for ${host} (${why})`);
  }
}

/** A request to the gateway itself; without a streamed body it is made again when the gateway wants its nonce. */
async function callGateway(
  holder: PassportHolder,
  htu: string,
  options: CallOptions,
  shape: (credentials: Credentials) => Omit<Outgoing, 'connect'>,
): Promise<CallAnswer> {
  const attempt = async () =>
    send(holder, options, {
      ...shape(await holder.credentials({ htm: options.method ?? 'GET', htu })),
      connect: () => connectToGateway(holder),
    });
  const answer = await attempt();
  const nonce = answer.headers.find(([name]) => name.toLowerCase() === 'dpop-nonce')?.[1];
  const refused = answer.status === 401 || answer.status === 407;
  if (!refused || !holder.learnNonce(nonce) || options.body instanceof Readable) return answer;
  answer.body.resume();
  return attempt();
}

interface Outgoing {
  readonly path: string;
  readonly host: string;
  /** Names and values. */
  readonly fields: readonly string[];
  readonly connect: () => Socket;
}

async function send(holder: PassportHolder, options: CallOptions, outgoing: Outgoing): Promise<CallAnswer> {
  const given = options.headers ?? [];
  const has = (name: string) => given.some(([field]) => field.toLowerCase() === name);
  const request = http.request({
    method: options.method ?? 'GET',
    path: outgoing.path,
    headers: [
      ...(has('host') ? [] : ['host', outgoing.host]),
      ...(has('user-agent') ? [] : ['user-agent', 'sallyport']),
      ...(has('accept') ? [] : ['accept', '*/*']),
      ...given.flat(),
      ...framing(options.body),
      'connection',
      'close',
      ...outgoing.fields,
    ],
    createConnection: outgoing.connect,
  });
  const answered = once(request, 'response');
  if (options.body instanceof Readable) options.body.pipe(request);
  else request.end(options.body);
  try {
    const [response]: IncomingMessage[] = await answered;
    if (response === undefined) throw new Error('no answer');
    // After an early refusal the rest of a body can't be sent any more; the answer is what counts.
    request.on('error', () => {});
    return {
      status: response.statusCode ?? 0,
      statusText: response.statusMessage ?? '',
      headers: pairs(response.rawHeaders),
      body: response,
    };
  } catch (cause) {
    throw unreachable(holder, cause);
  }
}

function framing(body: CallOptions['body']): string[] {
  if (body === undefined) return [];
  return body instanceof Readable
    ? ['transfer-encoding', 'chunked']
    : ['content-length', String(body.length)];
}

function withoutQuery(target: string): string {
  return target.replace(/[?#].*$/s, '');
}

function withoutFragment(target: string): string {
  return target.replace(/#.*$/s, '');
}
