import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Request, RequestHandler } from 'express';
import helmet from 'helmet';
import { type Clock, type JsonObject, networkOf, type RateLimiter, Refusal } from '../core/index.ts';
import { ProofFault, parseDpopProof } from '../proof/index.ts';
import { clientCertificate } from './client-certificate.ts';
import { INTROSPECTION_TYPE } from './completion.ts';
import type { Endpoint } from './endpoint.ts';
import { type AskedGrant, readAskedGrant } from './grants/asked-grant.ts';
import type { OwnGrants } from './grants/token-endpoint.ts';
import { readTokenForm } from './grants/token-form.ts';
import { PATHS } from './metadata.ts';
import { OAuthFault, toOAuthFault, tooManyRequests } from './oauth-fault.ts';
import { readBody, withBody } from './read-request.ts';
import { STATUS_TTL_SECONDS, type StatusLists } from './status/status-lists.ts';

/** A form with a client assertion and a token is far smaller. */
const BODY_BYTES = 32 * 1024;
/** What a failed authentication costs its address beyond the request: guessing gets slow. */
const FAILURE_COST = 5;

const READ = ['GET', 'HEAD', 'OPTIONS'];
const METHODS: ReadonlyMap<string, readonly string[]> = new Map([
  [PATHS.token, ['POST']],
  [PATHS.revocation, ['POST']],
  [PATHS.introspection, ['POST']],
  [PATHS.jwks, READ],
  [PATHS.oauthMetadata, READ],
  [PATHS.openidMetadata, READ],
]);

/** Hands a request to the OAuth library, with what was read of it already. */
export type Provide = (
  req: IncomingMessage,
  res: ServerResponse,
  known?: { readonly asked?: AskedGrant; readonly wantsJwt?: boolean },
) => void;

export interface IssuerOptions {
  readonly issuer: string;
  /** The provider of the moment: another one after each change of keys. */
  readonly provider: () => Provide;
  readonly grants: OwnGrants;
  readonly statusLists: StatusLists;
  /** Beside those of the library. */
  readonly endpoints: readonly Endpoint[];
  /** Whether the listener asks for certificates of clients (RFC 8705). */
  readonly mtls: boolean;
  readonly onRefused: (o: { clientId: string | null; error: string; detail: string | null }) => void;
  readonly onFault: (fault: unknown) => void;
  readonly limiter: RateLimiter;
  readonly clock: Clock;
}

/** The issuer's endpoints, mounted at the root of the control plane; other paths are passed on. */
export function issuerHandler(o: IssuerOptions): RequestHandler {
  const protect = helmet();
  const { host, protocol } = new URL(o.issuer);
  return (req, res, next) => {
    const own = o.endpoints.find(({ path }) => path.test(req.path));
    const methods = own?.methods ?? (req.path.startsWith(PATHS.statusLists) ? READ : METHODS.get(req.path));
    if (methods === undefined) return next();
    protect(req, res, (fault) => {
      if (fault !== undefined) return next(fault);
      const network = networkOf(req.socket.remoteAddress ?? '');
      try {
        admit(req, res, methods, o.limiter.take(network, o.clock.now()));
      } catch (refused) {
        if (refused instanceof OAuthFault) return answer(res, refused);
        return next(refused);
      }
      res.once('finish', () => {
        if (res.statusCode === 401) o.limiter.charge(network, o.clock.now(), FAILURE_COST);
      });
      if (own !== undefined) return void answerOwn(own, req, res, o);
      if (req.path.startsWith(PATHS.statusLists)) return void answerStatusList(req, res, o).catch(next);
      // The library builds its URLs, and the target of a proof, from the request. They come from our settings
      // instead, whatever Host or X-Forwarded-* a client sends.
      req.headers.host = host;
      req.headers['x-forwarded-proto'] = protocol.slice(0, -1);
      delete req.headers['x-forwarded-host'];
      const wantsJwt = req.headers.accept?.toLowerCase().includes(INTROSPECTION_TYPE) === true;
      // Errors are JSON for everybody; the library would show browsers a page.
      req.headers.accept = 'application/json';
      if (methods === READ) res.setHeader('cache-control', 'public, max-age=60');
      if (req.path !== PATHS.token) return o.provider()(req, res, { wantsJwt });
      answerToken(req, res, o).catch(next);
    });
  };
}

async function answerStatusList(req: Request, res: ServerResponse, o: IssuerOptions): Promise<void> {
  const number = /^[0-9]{1,4}$/.exec(req.path.slice(PATHS.statusLists.length))?.[0];
  const token = number === undefined ? null : await o.statusLists.get(Number(number));
  if (token === null) return sendJson(res, 404, { error: 'not_found' });
  res.setHeader('content-type', 'application/statuslist+jwt');
  res.setHeader('cache-control', `public, max-age=${STATUS_TTL_SECONDS}`);
  res.end(req.method === 'HEAD' ? undefined : token);
}

/** A grant of ours is answered here; every other one is the library's, bounded by the same extra parameters. */
async function answerToken(req: IncomingMessage, res: ServerResponse, o: IssuerOptions): Promise<void> {
  let clientId: string | null = null;
  try {
    const body = await readBody(req, BODY_BYTES);
    const form = readTokenForm(body, req.headers['content-type']);
    if (form === null) return o.provider()(withBody(req, body), res);
    const grant = o.grants.find(form);
    if (grant === null) return o.provider()(withBody(req, body), res, { asked: readAskedGrant(form) });
    const certificate = o.mtls ? clientCertificate(req.socket) : null;
    const nonce = o.grants.nonce();
    if (nonce !== null) res.setHeader('dpop-nonce', nonce);
    const answered = await o.grants.answer(grant, form, req.headers, certificate, (id) => {
      clientId = id;
    });
    sendJson(res, 200, answered);
  } catch (fault) {
    const told = tellFault(res, fault, clientId, o);
    if (told?.status === 401 && req.headers.authorization !== undefined) {
      res.setHeader('www-authenticate', `Basic realm="${o.issuer}"`);
    }
    if (told !== null) answer(res, told);
  }
}

async function answerOwn(own: Endpoint, req: Request, res: ServerResponse, o: IssuerOptions): Promise<void> {
  try {
    const { method, headers } = req;
    const params = { ...own.path.exec(req.path)?.groups };
    const nonce = own.takesClients === true ? o.grants.nonce() : null;
    if (nonce !== null) res.setHeader('dpop-nonce', nonce);
    const body = await readBody(req, BODY_BYTES);
    const answered = await own.answer({ method, params, headers, body });
    if (answered.body !== null) return sendJson(res, answered.status, answered.body);
    res.statusCode = answered.status;
    res.setHeader('cache-control', 'no-store');
    res.end();
  } catch (fault) {
    const told = tellFault(res, fault, null, o);
    if (told?.status === 401) {
      // RFC 6750 section 3: what a resource that takes bearer tokens says to one that has none, or a bad one.
      const challenge = own.takesClients ? `Basic realm="${o.issuer}"` : `Bearer error="${told.code}"`;
      res.setHeader('www-authenticate', challenge);
    }
    if (told !== null) answer(res, told);
  }
}

/** The fault in OAuth's words, recorded; null: it is none of the client's, and was answered as ours. */
function tellFault(
  res: ServerResponse,
  fault: unknown,
  clientId: string | null,
  o: IssuerOptions,
): OAuthFault | null {
  if (!(fault instanceof OAuthFault) && !(fault instanceof Refusal)) {
    o.onFault(fault);
    sendJson(res, 500, { error: 'server_error' });
    return null;
  }
  const told = toOAuthFault(fault);
  o.onRefused({ clientId, error: told.code, detail: told.message });
  return told;
}

function admit(req: IncomingMessage, res: ServerResponse, methods: readonly string[], waitMs: number): void {
  if (waitMs > 0) throw tooManyRequests(waitMs);
  if (!methods.includes(req.method ?? '')) {
    res.setHeader('allow', methods.join(', '));
    throw new OAuthFault('invalid_request', 'this endpoint does not take that method', { status: 405 });
  }
  if (Number(req.headers['content-length'] ?? 0) > BODY_BYTES) {
    res.setHeader('connection', 'close');
    throw new OAuthFault('invalid_request', 'the body is too large', { status: 413 });
  }
  const proof = req.headers.dpop;
  if (typeof proof === 'string') checkProofText(proof);
}

/** The library checks the proof; it forgives spellings that we don't. */
function checkProofText(proof: string): void {
  try {
    parseDpopProof(proof);
  } catch (cause) {
    if (!(cause instanceof ProofFault)) throw cause;
    throw new OAuthFault('invalid_dpop_proof', cause.message, { cause });
  }
}

function answer(res: ServerResponse, fault: OAuthFault): void {
  if (fault.retryAfterMs !== null) res.setHeader('retry-after', Math.ceil(fault.retryAfterMs / 1000));
  if (fault.status === 413) res.setHeader('connection', 'close');
  sendJson(res, fault.status, { error: fault.code, error_description: fault.message });
}

function sendJson(res: ServerResponse, status: number, body: JsonObject): void {
  res.statusCode = status;
  res.setHeader('content-type', 'application/json; charset=utf-8');
  res.setHeader('cache-control', 'no-store');
  res.end(JSON.stringify(body));
}
