import { type JsonObject, type JsonValue, LIMITS } from '../core/index.ts';
import type { SignatureAlgorithm } from './algorithms.ts';
import { ProofFault } from './fault.ts';
import {
  checkSignature,
  parseCompactJws,
  readClaims,
  readType,
  type UnverifiedJws,
  type VerifySignature,
} from './jws.ts';
import type { PublicJwk } from './public-jwk.ts';

/** The claims of an access token (RFC 9068), parsed. Times are seconds since the epoch. */
export interface AccessTokenClaims {
  readonly iss: string;
  readonly sub: string;
  readonly aud: readonly string[];
  readonly exp: number;
  readonly nbf: number | null;
  readonly iat: number;
  readonly jti: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** Thumbprint of the key that it is bound to (RFC 9449 section 6.1); null: to none. */
  readonly jkt: string | null;
  /** Hash of the certificate that it is bound to, or null. */
  readonly x5t: string | null;
  /** Actors, the current one first (RFC 8693 section 4.1); empty: the client itself acts. */
  readonly actors: readonly string[];
  /** The one actor that may exchange it (RFC 8693 section 4.4), or null. */
  readonly mayAct: string | null;
  readonly details: readonly JsonObject[];
  /** For each detail, the limits that its calls count against; empty: there are none. */
  readonly budgets: readonly (readonly BudgetClaim[])[];
  readonly sid: string | null;
  readonly chain: readonly string[];
  /** Delegations that the chain may hold in all; null: as many as there is room for. */
  readonly maxDepth: number | null;
  readonly owner: string | null;
  readonly purpose: string | null;
  /** Its entry in a status list (draft-ietf-oauth-status-list); null: it has none. */
  readonly status: StatusReference | null;
  /** What its client authenticated with: the kid of a key, or the id of a secret; null: not told. */
  readonly credential: string | null;
  /** Name of the key that signed it. */
  readonly kid: string;
}

/** A limit on calls: that of the detail `detail` of the passport at `hop` of the chain. */
export interface BudgetClaim {
  readonly hop: number;
  readonly detail: number;
  readonly limit: number;
}

export interface StatusReference {
  readonly uri: string;
  readonly index: number;
}

export interface AccessTokenExpectation {
  readonly issuer: string;
  /** One of them must be named. */
  readonly audience: string | readonly string[];
  readonly algorithms: ReadonlySet<SignatureAlgorithm>;
  /** The issuer's key by that name, or null. Keys that the token itself brings are never looked at. */
  readonly findKey: (kid: string) => PublicJwk | null;
  readonly verifySignature: VerifySignature;
}

/** How far the issuer's clock may run before ours. */
const SKEW_SECONDS = 5;
const TEXT_CHARS = 1024;
/** Seconds at the end of the year 9999: a time beyond is no time but an attempt. */
const LAST_SECOND = 253_402_300_799;

/**
 * Checks everything about an access token that does not change with time: text, type, key, signature, issuer,
 * audience and the form of each claim. Follow it with `checkAccessTokenTime`. Throws ProofFault.
 */
export async function verifyAccessToken(
  text: string,
  expected: AccessTokenExpectation,
): Promise<AccessTokenClaims> {
  const jws = parseCompactJws(text, { maxChars: LIMITS.passportChars, algorithms: expected.algorithms });
  if (readType(jws.header) !== 'at+jwt') throw new ProofFault('type', 'The token is no access token.');
  await checkSignature(jws, selectKey(jws, expected.findKey), expected.verifySignature);
  const claims = { ...parseClaims(readClaims(jws)), kid: String(jws.header.kid) };
  if (claims.iss !== expected.issuer) throw new ProofFault('issuer', 'The token is from another issuer.');
  if (![expected.audience].flat().some((audience) => claims.aud.includes(audience))) {
    throw new ProofFault('audience', 'The token is for another audience.');
  }
  return claims;
}

/** Throws ProofFault unless the token is valid at `now` (ms). To be asked at each use. */
export function checkAccessTokenTime(claims: AccessTokenClaims, now: number): void {
  const seconds = now / 1000;
  if (claims.exp <= seconds) throw new ProofFault('expired', 'The token has expired.');
  const begins = Math.max(claims.iat, claims.nbf ?? claims.iat);
  if (begins > seconds + SKEW_SECONDS) throw new ProofFault('not_yet_valid', 'The token is not valid yet.');
}

function selectKey(jws: UnverifiedJws, findKey: AccessTokenExpectation['findKey']): PublicJwk {
  const { kid } = jws.header;
  const key = typeof kid === 'string' ? findKey(kid) : null;
  if (key === null)
    throw new ProofFault('key', 'The token is signed with a key that the issuer does not have.');
  return key;
}

function parseClaims(claims: JsonObject): Omit<AccessTokenClaims, 'kid'> {
  const hops = claims.chain === undefined ? [] : chain(claims.chain);
  return {
    iss: text(claims, 'iss'),
    sub: text(claims, 'sub'),
    aud: audience(claims.aud),
    exp: time(claims, 'exp'),
    nbf: claims.nbf === undefined ? null : time(claims, 'nbf'),
    iat: time(claims, 'iat'),
    jti: text(claims, 'jti'),
    clientId: text(claims, 'client_id'),
    scopes: scopes(claims.scope),
    ...confirmation(claims.cnf),
    actors: actors(claims.act),
    mayAct: mayAct(claims.may_act),
    details: details(claims.authorization_details),
    budgets: budgets(claims.budgets, hops.length),
    sid: optionalText(claims, 'sid'),
    chain: hops,
    maxDepth: claims.max_depth === undefined ? null : whole(claims.max_depth, 'max_depth', LIMITS.chainHops),
    owner: optionalText(claims, 'owner'),
    purpose: optionalText(claims, 'purpose'),
    credential: optionalText(claims, 'credential'),
    status: status(claims.status),
  };
}

function text(claims: JsonObject, name: string): string {
  const value = claims[name];
  if (!isText(value)) throw faulty(name);
  return value;
}

function optionalText(claims: JsonObject, name: string): string | null {
  return claims[name] === undefined ? null : text(claims, name);
}

function time(claims: JsonObject, name: string): number {
  const value = claims[name];
  if (typeof value !== 'number' || value < 0 || value > LAST_SECOND) throw faulty(name);
  return value;
}

function audience(value: JsonValue | undefined): readonly string[] {
  const values = Array.isArray(value) ? value : [value];
  if (values.length === 0 || !values.every(isText)) throw faulty('aud');
  return values;
}

function scopes(value: JsonValue | undefined): readonly string[] {
  if (value === undefined) return [];
  if (typeof value !== 'string') throw faulty('scope');
  return value.split(' ').filter((scope) => scope !== '');
}

/**
 * A key (RFC 9449 section 6) or a certificate (RFC 8705 section 3.1). A confirmation that we can't check (an encrypted
 * key) must not make a token an unbound one.
 */
function confirmation(value: JsonValue | undefined): { jkt: string | null; x5t: string | null } {
  if (value === undefined) return { jkt: null, x5t: null };
  if (!isObject(value) || Object.keys(value).length !== 1) throw faulty('cnf');
  const { jkt = null, 'x5t#S256': x5t = null } = value;
  if (isText(jkt)) return { jkt, x5t: null };
  if (isText(x5t)) return { jkt: null, x5t };
  throw faulty('cnf');
}

function actors(value: JsonValue | undefined): readonly string[] {
  const found: string[] = [];
  for (let act = value; act !== undefined; ) {
    if (!isObject(act) || found.length === LIMITS.chainHops) throw faulty('act');
    found.push(text(act, 'sub'));
    act = act.act;
  }
  return found;
}

function details(value: JsonValue | undefined): readonly JsonObject[] {
  if (value === undefined) return [];
  const valid = (detail: JsonValue): detail is JsonObject => isObject(detail) && isText(detail.type);
  if (!Array.isArray(value) || value.length > LIMITS.details || !value.every(valid)) {
    throw faulty('authorization_details');
  }
  return value;
}

/** Members beside `sub` would narrow it (RFC 8693 section 4.4), in words that we don't know. */
function mayAct(value: JsonValue | undefined): string | null {
  if (value === undefined) return null;
  if (!isObject(value) || !isText(value.sub) || Object.keys(value).length !== 1) throw faulty('may_act');
  return value.sub;
}

/** One array for each detail, of `[hop, detail, limit]`. */
function budgets(value: JsonValue | undefined, hops: number): readonly (readonly BudgetClaim[])[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > LIMITS.details) throw faulty('budgets');
  return value.map((limits: JsonValue) => {
    if (!Array.isArray(limits) || limits.length > LIMITS.chainHops) throw faulty('budgets');
    return limits.map((one: JsonValue) => {
      if (!Array.isArray(one) || one.length !== 3) throw faulty('budgets');
      const [hop, detail, limit] = one;
      return {
        hop: whole(hop, 'budgets', hops - 1),
        detail: whole(detail, 'budgets', LIMITS.details - 1),
        limit: whole(limit, 'budgets', Number.MAX_SAFE_INTEGER),
      };
    });
  });
}

/** Other ways to tell the status may stand beside the list; what is there must be well-formed. */
function status(value: JsonValue | undefined): StatusReference | null {
  if (value === undefined) return null;
  if (!isObject(value) || !isObject(value.status_list)) throw faulty('status');
  const { uri, idx } = value.status_list;
  if (!isText(uri)) throw faulty('status');
  return { uri, index: whole(idx, 'status', Number.MAX_SAFE_INTEGER) };
}

function whole(value: JsonValue | undefined, name: string, most: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > most) throw faulty(name);
  return value;
}

function chain(value: JsonValue): readonly string[] {
  if (
    !Array.isArray(value) ||
    value.length === 0 ||
    value.length > LIMITS.chainHops ||
    !value.every(isText)
  ) {
    throw faulty('chain');
  }
  return value;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= TEXT_CHARS;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function faulty(name: string): ProofFault {
  return new ProofFault('claims', `The claim ${name} is missing or malformed.`);
}
