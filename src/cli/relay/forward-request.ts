import http, { type ClientRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { pairs, passedOn } from './fields.ts';
import { connectToGateway } from './gateway-socket.ts';
import { unreachable } from './open-tunnel.ts';
import type { Credentials, PassportHolder } from './passport-holder.ts';
import { NOT_A_PROXY_REQUEST, PASSWORD_NEEDED, type Problem, problemOf } from './problem.ts';
import type { ProxyPassword } from './proxy-password.ts';

interface RelayParts {
  readonly holder: PassportHolder;
  readonly password: ProxyPassword;
}

/** Serves one request of the child with an absolute http:// target; the gateway sees the target as it came. */
export async function forwardRequest(
  { holder, password }: RelayParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!password.accepts(request.headers['proxy-authorization'])) return answer(response, PASSWORD_NEEDED);
  const target = request.url ?? '';
  if (!/^http:\/\//i.test(target) || !URL.canParse(target)) return answer(response, NOT_A_PROXY_REQUEST);
  try {
    let incoming = await send(holder, request, response);
    // The gateway may want its nonce in the proof; without a body the same request can be made again.
    if (isRefusal(incoming) && learnNonce(holder, incoming) && !hasBody(request)) {
      incoming.resume();
      incoming = await send(holder, request, response);
    }
    learnNonce(holder, incoming);
    passAnswer(incoming, response);
  } catch (fault) {
    if (response.headersSent) response.destroy();
    else answer(response, problemOf(fault));
  }
}

async function send(
  holder: PassportHolder,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<IncomingMessage> {
  const [method, target] = [request.method ?? 'GET', request.url ?? ''];
  const credentials = await holder.credentials({ htm: method, htu: target.replace(/[?#].*$/s, '') });
  const outgoing = http.request({
    method,
    path: target,
    headers: outgoingFields(request, credentials),
    createConnection: () => connectToGateway(holder),
  });
  if (hasBody(request)) passBody(request, outgoing);
  else outgoing.end();
  response.once('close', () => {
    if (!response.writableFinished) outgoing.destroy();
  });
  return new Promise((resolve, reject) => {
    outgoing.once('response', resolve);
    // Stays on after the answer has begun: the gateway may refuse and close while a body is still on its way.
    outgoing.on('error', (cause) => reject(unreachable(holder, cause)));
  });
}

function passBody(request: IncomingMessage, outgoing: ClientRequest): void {
  request.pipe(outgoing);
  request.once('close', () => {
    if (!request.complete) outgoing.destroy();
  });
  outgoing.once('close', () => {
    // What the client still sends after an early refusal is read and dropped, so that it sees the refusal.
    request.unpipe(outgoing);
    request.resume();
  });
}

function passAnswer(incoming: IncomingMessage, response: ServerResponse): void {
  response.sendDate = false;
  response.writeHead(incoming.statusCode ?? 502, incoming.statusMessage, passedOn(incoming.rawHeaders));
  incoming.once('end', () => {
    if (incoming.rawTrailers.length > 0) response.addTrailers(pairs(incoming.rawTrailers));
  });
  // An answer that breaks off must break off here too: `pipeline` destroys the response then.
  pipeline(incoming, response, () => {});
}

function outgoingFields(request: IncomingMessage, { authorization, proof }: Credentials): string[] {
  const fields = passedOn(request.rawHeaders);
  // Node would frame a POST without a body as chunked.
  if (!hasBody(request) && !/^(GET|HEAD|OPTIONS|TRACE)$/.test(request.method ?? '')) {
    if (request.headers['content-length'] === undefined) fields.push('content-length', '0');
  }
  return [...fields, 'proxy-authorization', authorization, 'sallyport-dpop', proof];
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function isRefusal({ statusCode }: IncomingMessage): boolean {
  return statusCode === 401 || statusCode === 407;
}

function learnNonce(holder: PassportHolder, { headersDistinct }: IncomingMessage): boolean {
  return holder.learnNonce(headersDistinct['dpop-nonce']?.[0]);
}

function answer(response: ServerResponse, { status, headers, body }: Problem): void {
  response.writeHead(status, { connection: 'close', ...headers });
  response.end(body);
}
