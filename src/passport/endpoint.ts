import type { IncomingHttpHeaders } from 'node:http';
import { type JsonObject, LIMITS } from '../core/index.ts';
import { ProofFault, parseStrictJsonObject } from '../proof/index.ts';
import { readTokenForm, type TokenForm } from './grants/token-form.ts';
import { OAuthFault } from './oauth-fault.ts';

/** A request to an endpoint of ours, its body read whole. */
export interface EndpointRequest {
  readonly method: string;
  /** The named groups of the endpoint's path. */
  readonly params: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

export interface EndpointAnswer {
  readonly status: number;
  /** Null: no body. */
  readonly body: JsonObject | null;
}

/** A path of the issuer that takes and gives JSON, beside those of the OAuth library. */
export interface Endpoint {
  /** Anchored at both ends. */
  readonly path: RegExp;
  readonly methods: readonly string[];
  /** It authenticates clients as the token endpoint does, so a 401 names Basic (RFC 6749 section 5.2) in place of Bearer. */
  readonly takesClients?: true;
  /** Throws OAuthFault or Refusal. */
  answer(request: EndpointRequest): Promise<EndpointAnswer>;
}

/** The body as one JSON object. Throws OAuthFault. */
export function readJsonBody(request: EndpointRequest): JsonObject {
  const type = (request.headers['content-type']?.split(';')[0] ?? '').trim().toLowerCase();
  if (type !== 'application/json')
    throw new OAuthFault('invalid_request', 'the body must be application/json');
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(request.body);
    return parseStrictJsonObject(text, LIMITS.jsonDepth);
  } catch (cause) {
    if (!(cause instanceof ProofFault) && !(cause instanceof TypeError)) throw cause;
    throw new OAuthFault('invalid_request', 'the body is not one plain JSON object', { cause });
  }
}

/** The body as a form. Throws OAuthFault. */
export function formOf(request: EndpointRequest): TokenForm {
  const form = readTokenForm(request.body, request.headers['content-type']);
  if (form === null)
    throw new OAuthFault('invalid_request', 'the body must be application/x-www-form-urlencoded');
  return form;
}

/** The token of `Authorization: Bearer`. Throws OAuthFault('invalid_token'). */
export function bearerToken(request: EndpointRequest): string {
  const [, token] = /^bearer +([A-Za-z0-9._~+/-]{1,512}=*)$/i.exec(request.headers.authorization ?? '') ?? [];
  if (token === undefined) throw new OAuthFault('invalid_token', 'a bearer token is missing');
  return token;
}

/** A member that is a text. Throws OAuthFault('invalid_request'). */
export function textMember(body: JsonObject, name: string, mostChars: number): string {
  const value = Object.hasOwn(body, name) ? body[name] : undefined;
  if (typeof value !== 'string' || value === '' || value.length > mostChars) {
    throw new OAuthFault(
      'invalid_request',
      `${name} is missing, or no text of at most ${mostChars} characters`,
    );
  }
  return value;
}

/** A member that is a list of texts; absent: null. Throws OAuthFault('invalid_request'). */
export function textsMember(body: JsonObject, name: string, most: number): readonly string[] | null {
  const value = Object.hasOwn(body, name) ? body[name] : undefined;
  if (value === undefined) return null;
  const good = Array.isArray(value) && value.length <= most && value.every((one) => typeof one === 'string');
  if (!good) throw new OAuthFault('invalid_request', `${name} is a list of at most ${most} texts`);
  return value.map(String);
}
