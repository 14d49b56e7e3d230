import { randomUUID } from 'node:crypto';
import { importJWK, SignJWT } from 'jose';
import { z } from 'zod';
import { toSeconds } from '../../core/index.ts';
import type { Delegation } from '../../sdk/index.ts';
import type { Trust } from '../trust.ts';
import { type Answer, exchange } from './exchange.ts';
import { RelayFault } from './fault.ts';
import type { AgentIdentity } from './options.ts';
import type { ProofKey } from './proof-key.ts';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const ASSERTION_LIFETIME_SECONDS = 60;

const metadata = z.looseObject({ issuer: z.string(), token_endpoint: z.url() });
const granted = z.looseObject({
  access_token: z.string().min(1),
  token_type: z.string(),
  expires_in: z.number().positive(),
});
const refused = z.looseObject({ error: z.string(), error_description: z.string().optional() });

export interface Passport {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** Asks the issuer for passports: client_credentials with private_key_jwt (RFC 7523), bound by DPoP (RFC 9449). */
export class IssuerClient {
  readonly #issuerUrl: string;
  readonly #agent: AgentIdentity;
  readonly #proofKey: ProofKey;
  readonly #delegation: Delegation | null;
  readonly #trust: Trust;
  #tokenEndpoint: URL | null = null;

  constructor(options: {
    issuerUrl: string;
    agent: AgentIdentity;
    proofKey: ProofKey;
    delegation?: Delegation;
    trust?: Trust;
  }) {
    this.#issuerUrl = options.issuerUrl.replace(/\/$/, '');
    this.#agent = options.agent;
    this.#proofKey = options.proofKey;
    this.#delegation = options.delegation ?? null;
    this.#trust = options.trust ?? null;
  }

  /** Throws RelayFault: issuer_unreachable, issuer_refused, issuer_malformed, agent_key_invalid. */
  async request(wanted: { readonly resource: string; readonly scope?: string }): Promise<Passport> {
    this.#tokenEndpoint ??= await this.#discover();
    const endpoint = this.#tokenEndpoint;
    const askedAt = Date.now();
    let answer = await this.#ask(endpoint, wanted);
    // The issuer may want its nonce in the proof; it says so once (RFC 9449 section 8).
    if (answer.status === 400 && this.#proofKey.learnNonce(endpoint.origin, answer.header('dpop-nonce'))) {
      answer = await this.#ask(endpoint, wanted);
    }
    this.#proofKey.learnNonce(endpoint.origin, answer.header('dpop-nonce'));
    if (answer.status !== 200) throw this.#refusal(answer);
    const passport = granted.safeParse(readJson(answer));
    if (!passport.success) throw malformed(endpoint, 'its answer holds no access token');
    if (passport.data.token_type.toLowerCase() !== 'dpop') {
      throw malformed(endpoint, 'it gave a token that is not bound to our key');
    }
    // Counted from before the request, so that we never think a passport younger than it is.
    return { token: passport.data.access_token, expiresAt: askedAt + passport.data.expires_in * 1000 };
  }

  async #discover(): Promise<URL> {
    const issuer = new URL(this.#issuerUrl);
    // RFC 8414 section 3.1: the well-known part stands before the issuer's own path.
    const path = issuer.pathname === '/' ? '' : issuer.pathname;
    const url = new URL(`/.well-known/oauth-authorization-server${path}`, issuer.origin);
    const answer = await exchange('issuer', { trust: this.#trust, method: 'GET', url });
    if (answer.status !== 200) throw malformed(url, `it answered ${answer.status} for its metadata`);
    const found = metadata.safeParse(readJson(answer));
    if (!found.success) throw malformed(url, 'its metadata names no token endpoint');
    // RFC 8414 section 3.3: otherwise one server could pass itself off as another.
    if (found.data.issuer.replace(/\/$/, '') !== this.#issuerUrl) {
      throw malformed(url, `its metadata are those of ${found.data.issuer}`);
    }
    return new URL(found.data.token_endpoint);
  }

  async #ask(endpoint: URL, wanted: { readonly resource: string; readonly scope?: string }): Promise<Answer> {
    const form = new URLSearchParams({
      ...this.#grant(),
      resource: wanted.resource,
      client_id: this.#agent.clientId,
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: await this.#assertion(),
    });
    if (wanted.scope !== undefined) form.set('scope', wanted.scope);
    const proof = await this.#proofKey.prove({ htm: 'POST', htu: endpoint.href, server: endpoint.origin });
    return exchange('issuer', {
      trust: this.#trust,
      method: 'POST',
      url: endpoint,
      headers: { 'content-type': 'application/x-www-form-urlencoded', dpop: proof },
      body: form.toString(),
    });
  }

  #grant(): Record<string, string> {
    if (this.#delegation === null) return { grant_type: 'client_credentials' };
    return {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: this.#delegation.subjectToken,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      subject_proof: this.#delegation.subjectProof,
    };
  }

  async #assertion(): Promise<string> {
    const { clientId, privateJwk } = this.#agent;
    const now = toSeconds(Date.now());
    try {
      const alg = privateJwk.alg ?? algorithmOf(privateJwk);
      return await new SignJWT({ jti: randomUUID() })
        .setProtectedHeader({ alg, ...(privateJwk.kid === undefined ? {} : { kid: privateJwk.kid }) })
        .setIssuer(clientId)
        .setSubject(clientId)
        .setAudience(this.#issuerUrl)
        .setIssuedAt(now)
        .setExpirationTime(now + ASSERTION_LIFETIME_SECONDS)
        .sign(await importJWK(privateJwk, alg));
    } catch (cause) {
      // The cause may show parts of the key.
      const kind = cause instanceof Error ? cause.name : 'error';
      throw new RelayFault(
        'agent_key_invalid',
        `the private key of agent ${clientId} can not sign (${kind}); register the agent again`,
      );
    }
  }

  #refusal(answer: Answer): RelayFault {
    const parsed = refused.safeParse(readJson(answer));
    const reason = parsed.success
      ? [parsed.data.error, parsed.data.error_description].filter((part) => part !== undefined).join(': ')
      : `status ${answer.status}`;
    return new RelayFault(
      'issuer_refused',
      `the issuer at ${this.#issuerUrl} gives agent ${this.#agent.clientId} no passport (${reason})`,
    );
  }
}

/** RFC 7518 and RFC 8037: the curve says it; RSA keys are taken to sign with PSS. */
function algorithmOf({ kty, crv }: AgentIdentity['privateJwk']): string {
  if (kty === 'RSA') return 'PS256';
  return crv === 'Ed25519' ? 'EdDSA' : 'ES256';
}

function malformed(url: URL, what: string): RelayFault {
  return new RelayFault('issuer_malformed', `${url.href} is not a Sallyport issuer: ${what}`);
}

function readJson(answer: Answer): unknown {
  try {
    return JSON.parse(answer.text);
  } catch {
    return null;
  }
}
