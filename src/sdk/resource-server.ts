import { LIMITS, parseUrl } from '../core/index.ts';
import {
  type AccessTokenClaims,
  checkAccessTokenTime,
  covers,
  ProofFault,
  parseCompactJws,
  parseToolCallDetails,
  verifyAccessToken,
  verifyDpopProof,
} from '../proof/index.ts';
import { Access } from './access.ts';
import { AccessFault } from './access-fault.ts';
import { SdkFault } from './fault.ts';
import { IssuerKeys } from './issuer-keys.ts';
import { SeenProofs } from './seen-proofs.ts';
import { StatusLists } from './status-lists.ts';
import { sha256, verifySignature } from './web-crypto.ts';

const ALGORITHMS = new Set(['ES256'] as const);
const PROOF_MAX_AGE_SECONDS = 120;
const PROOF_MAX_AHEAD_SECONDS = 10;
const STATUS_VALID = 0;

export interface ResourceServerOptions {
  /** The issuer identifier. */
  readonly issuer: string;
  /** What passports must be for: this resource server, as `issuer.resources` names it. */
  readonly audience: string;
  /** The origin under which clients reach it, which proofs name; default: that of the audience. */
  readonly publicUrl?: string;
  /** The service that `tool_call` details name it by. Without it, passports with details are refused. */
  readonly service?: string;
  /** `required` (default): a passport passes only with a fresh list that says it is valid. */
  readonly statusList?: 'required' | 'ignored';
  /** Hops that a chain may have, the root included; default: as many as the issuer allows. */
  readonly maxChainHops?: number;
  /** True for exactly one caller for each key until `expiresAt` (ms). Default: memory of this process. */
  readonly useProof?: (key: string, expiresAt: number) => Promise<boolean>;
  readonly fetch?: typeof fetch;
  readonly now?: () => number;
}

/** A request as the check needs it. Header fields as the Fetch standard has them, or as Node does. */
export interface IncomingRequest {
  readonly method: string;
  /** Path and query, or the whole URL; the origin is never taken from it. */
  readonly url: string;
  readonly headers: Headers | Readonly<Record<string, string | readonly string[] | undefined>>;
}

/**
 * Checks passports at a resource server without asking the issuer for each: signature, type, issuer, audience,
 * time, key binding (DPoP), chain depth and status list.
 */
export class ResourceServer {
  readonly #o: ResourceServerOptions;
  readonly #keys: IssuerKeys;
  readonly #lists: StatusLists;
  readonly #now: () => number;
  readonly #useProof: NonNullable<ResourceServerOptions['useProof']>;
  readonly #startedAt: number;

  constructor(o: ResourceServerOptions) {
    const send: typeof fetch = (...given) => (o.fetch ?? fetch)(...given);
    this.#o = o;
    this.#now = o.now ?? (() => Date.now());
    const shared = { issuer: o.issuer, fetch: send, now: this.#now };
    this.#keys = new IssuerKeys(shared);
    this.#lists = new StatusLists({ ...shared, keys: this.#keys });
    const seen = new SeenProofs(this.#now);
    this.#useProof = o.useProof ?? ((key, expiresAt) => seen.use(key, expiresAt));
    // Proofs name whole seconds; what was seen before the start is not known.
    this.#startedAt = Math.floor(this.#now() / 1000) * 1000;
  }

  /** Who calls. Throws AccessFault, which says how to answer. */
  async verify(request: IncomingRequest): Promise<Access> {
    const token = readToken(request);
    const claims = await this.#readToken(token);
    await this.#checkProof(request, token, claims);
    this.#checkDetails(request, claims);
    await this.#checkStatus(claims);
    return new Access(claims, this.#o.audience);
  }

  async #readToken(token: string): Promise<AccessTokenClaims> {
    const { issuer, audience, maxChainHops = LIMITS.chainHops } = this.#o;
    try {
      const { kid } = parseCompactJws(token, {
        maxChars: LIMITS.passportChars,
        algorithms: ALGORITHMS,
      }).header;
      if (typeof kid === 'string') await this.#keys.prepare(kid);
      const claims = await verifyAccessToken(token, {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        findKey: (name) => this.#keys.find(name),
        verifySignature,
      });
      checkAccessTokenTime(claims, this.#now());
      if (claims.chain.length > maxChainHops)
        throw new ProofFault('claims', 'Its chain is too long for this server.');
      return claims;
    } catch (cause) {
      if (cause instanceof ProofFault) throw new AccessFault('invalid_token', cause.message, { cause });
      throw unavailable(cause);
    }
  }

  async #checkProof(request: IncomingRequest, token: string, claims: AccessTokenClaims): Promise<void> {
    const [proof, ...more] = valuesOf(request, 'dpop');
    if (claims.jkt === null) throw new AccessFault('invalid_token', 'The passport is not bound to a key.');
    if (proof === undefined || more.length > 0) {
      throw new AccessFault('invalid_dpop_proof', 'The request needs exactly one DPoP proof.');
    }
    const verified = await verifyDpopProof(
      proof,
      {
        htm: request.method.toUpperCase(),
        htu: this.#urlOf(request).href,
        accessToken: token,
        now: this.#now(),
        maxAgeSeconds: PROOF_MAX_AGE_SECONDS,
        maxAheadSeconds: PROOF_MAX_AHEAD_SECONDS,
        checkNonce: null,
      },
      { verifySignature, sha256 },
    ).catch((cause: unknown) => {
      if (cause instanceof ProofFault) throw new AccessFault('invalid_dpop_proof', cause.message, { cause });
      throw cause;
    });
    if (verified.jkt !== claims.jkt)
      throw new AccessFault('invalid_token', 'The passport is bound to another key.');
    if (verified.iat * 1000 < this.#startedAt) {
      throw new AccessFault('invalid_dpop_proof', 'The proof is older than the start of this server.');
    }
    const expiresAt = (Math.ceil(verified.iat) + PROOF_MAX_AGE_SECONDS + 1) * 1000;
    if (!(await this.#useProof(`${verified.jkt}.${verified.jti}`, expiresAt))) {
      throw new AccessFault('invalid_dpop_proof', 'The proof was used before.');
    }
  }

  /** A passport that was narrowed to some calls must not be wide here. Limits are counted at the gate alone. */
  #checkDetails(request: IncomingRequest, { details, budgets }: AccessTokenClaims): void {
    if (details.length === 0) return;
    const { service } = this.#o;
    const { pathname, searchParams } = this.#urlOf(request);
    const call = {
      kind: 'http',
      service: service ?? '',
      method: request.method.toUpperCase(),
      path: pathname,
      query: [...searchParams],
      body: null,
    } as const;
    const covered = readDetails(details).some(
      (detail, index) => (budgets[index] ?? []).length === 0 && covers(detail, call, this.#now()),
    );
    if (service === undefined || !covered) {
      throw new AccessFault('insufficient_scope', 'The authorization details do not cover this request.');
    }
  }

  async #checkStatus({ status }: AccessTokenClaims): Promise<void> {
    if (this.#o.statusList === 'ignored') return;
    if (status === null)
      throw new AccessFault('invalid_token', 'The passport has no entry in a status list.');
    let value: number;
    try {
      value = await this.#lists.statusOf(status);
    } catch (cause) {
      throw unavailable(cause);
    }
    if (value !== STATUS_VALID) throw new AccessFault('invalid_token', 'The passport was revoked.');
  }

  /** From our own settings: Host and X-Forwarded-* are the client's words. */
  #urlOf({ url }: IncomingRequest): URL {
    const { origin } = new URL(this.#o.publicUrl ?? this.#o.audience);
    const given = parseUrl(url, origin);
    if (given === null) throw new AccessFault('invalid_request', 'The URL can not be read.');
    return new URL(`${given.pathname}${given.search}`, origin);
  }
}

function readDetails(details: AccessTokenClaims['details']) {
  try {
    return parseToolCallDetails(details);
  } catch (cause) {
    if (cause instanceof ProofFault) throw new AccessFault('invalid_token', cause.message, { cause });
    throw cause;
  }
}

function readToken(request: IncomingRequest): string {
  const [value, ...more] = valuesOf(request, 'authorization');
  if (value === undefined)
    throw new AccessFault('invalid_token', 'The request carries no passport.', { bare: true });
  const [, scheme = '', token = ''] = /^([A-Za-z]+) +([^\s]+)$/.exec(value) ?? [];
  // A bound passport shown as Bearer was taken from the one who has the key (RFC 9449 section 7.2).
  if (more.length > 0 || scheme.toLowerCase() !== 'dpop') {
    throw new AccessFault('invalid_token', 'A passport is shown once, with the DPoP scheme.');
  }
  return token;
}

function valuesOf({ headers }: IncomingRequest, name: string): readonly string[] {
  if (headers instanceof Headers) {
    const value = headers.get(name);
    // Several fields come joined by commas, which stand in no token and no proof.
    return value === null ? [] : value.split(',').map((one) => one.trim());
  }
  const value = headers[name];
  if (value === undefined) return [];
  return (typeof value === 'string' ? [value] : value).flatMap((one) =>
    one.split(',').map((part) => part.trim()),
  );
}

function unavailable(cause: unknown): unknown {
  if (!(cause instanceof SdkFault) && !(cause instanceof ProofFault)) return cause;
  return new AccessFault('status_unavailable', 'The passport can not be checked now.', { cause });
}
