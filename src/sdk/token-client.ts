import { type JsonObject, LIMITS, toSeconds } from '../core/index.ts';
import { parseStrictJsonObject } from '../proof/index.ts';
import { SdkFault } from './fault.ts';
import type { KeyRatchet } from './key-ratchet.ts';
import type { ProofMaker } from './proof-maker.ts';
import type { SigningKey } from './signing-key.ts';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const ASSERTION_SECONDS = 60;
const TIMEOUT_MS = 15_000;
const ANSWER_CHARS = 256 * 1024;

/** How an agent proves to the issuer who it is. */
export type ClientCredential =
  | { readonly kind: 'key'; readonly key: SigningKey }
  | { readonly kind: 'secret'; readonly secret: string }
  | { readonly kind: 'ratchet'; readonly ratchet: KeyRatchet };

/** A passport as the issuer gave it. */
export interface IssuedPassport {
  readonly token: string;
  /** Milliseconds since the epoch, counted from before the request. */
  readonly expiresAt: number;
  readonly scope: string;
  /** What it is for, call by call (RFC 9396); empty: bounded by its scope alone. */
  readonly authorizationDetails: readonly JsonObject[];
}

export interface TokenClientOptions {
  /** The issuer identifier: the URL of the control plane. */
  readonly issuer: string;
  readonly clientId: string;
  readonly credential: ClientCredential;
  readonly proofs: ProofMaker;
  readonly fetch: typeof fetch;
  readonly now: () => number;
}

/** Asks the token endpoint of the issuer, which it finds through the metadata (RFC 8414). */
export class TokenClient {
  readonly #o: TokenClientOptions;
  #endpoint: string | null = null;

  constructor(o: TokenClientOptions) {
    this.#o = o;
  }

  /** Throws SdkFault: unreachable, malformed, refused. */
  request(form: Readonly<Record<string, string>>): Promise<IssuedPassport> {
    const { credential } = this.#o;
    if (credential.kind !== 'ratchet') return this.#request(form);
    const { ratchet } = credential;
    return ratchet.inTurn(async () => {
      const passport = await this.#request(form);
      await ratchet.advance();
      return passport;
    });
  }

  async #request(form: Readonly<Record<string, string>>): Promise<IssuedPassport> {
    this.#endpoint ??= await this.#discover();
    const askedAt = this.#o.now();
    let answer = await this.#ask(this.#endpoint, form);
    // The issuer may want its nonce in the proof, and says so once (RFC 9449 section 8).
    const learned = this.#o.proofs.learn(this.#endpoint, answer.headers.get('dpop-nonce'));
    let body = await this.#read(answer);
    if (answer.status === 400 && learned && body.error === 'use_dpop_nonce') {
      answer = await this.#ask(this.#endpoint, form);
      body = await this.#read(answer);
    }
    if (answer.status !== 200) throw refusal(answer.status, body);
    return readPassport(body, askedAt);
  }

  async #discover(): Promise<string> {
    const { issuer } = this.#o;
    const url = `${issuer}/.well-known/oauth-authorization-server`;
    const answer = await this.#send(url, {});
    const metadata = await this.#read(answer);
    // RFC 8414 section 3.3: else one server could pass itself off as another.
    if (metadata.issuer !== issuer || typeof metadata.token_endpoint !== 'string') {
      throw new SdkFault('malformed', `${url} does not answer with the metadata of this issuer.`);
    }
    return metadata.token_endpoint;
  }

  async #ask(endpoint: string, form: Readonly<Record<string, string>>): Promise<Response> {
    const dpop = await this.#o.proofs.prove({ method: 'POST', url: endpoint });
    const body = new URLSearchParams({ ...form, ...(await this.#authentication()) });
    return this.#send(endpoint, { method: 'POST', body, headers: { dpop } });
  }

  async #authentication(): Promise<Record<string, string>> {
    const { clientId, credential, issuer, now } = this.#o;
    if (credential.kind === 'secret') return { client_id: clientId, client_secret: credential.secret };
    const iat = toSeconds(now());
    const claims = {
      iss: clientId,
      sub: clientId,
      aud: issuer,
      jti: crypto.randomUUID(),
      iat,
      exp: iat + ASSERTION_SECONDS,
    };
    return {
      client_id: clientId,
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: await signWith(credential, claims),
    };
  }

  async #send(url: string, init: RequestInit): Promise<Response> {
    try {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      return await this.#o.fetch(url, { ...init, redirect: 'error', signal });
    } catch (cause) {
      throw new SdkFault('unreachable', `The issuer does not answer at ${url}.`, { cause });
    }
  }

  async #read(answer: Response): Promise<JsonObject> {
    try {
      const text = await answer.text();
      if (text.length > ANSWER_CHARS) throw new Error('the answer is too large');
      return parseStrictJsonObject(text, LIMITS.jsonDepth);
    } catch (cause) {
      throw new SdkFault('malformed', `The issuer ${this.#o.issuer} does not answer with JSON.`, { cause });
    }
  }
}

function signWith(
  credential: Exclude<ClientCredential, { readonly kind: 'secret' }>,
  claims: JsonObject,
): Promise<string> {
  if (credential.kind === 'ratchet') return credential.ratchet.sign(claims);
  const { key } = credential;
  return key.sign(key.kid === null ? {} : { kid: key.kid }, claims);
}

function refusal(status: number, { error, error_description }: JsonObject): SdkFault {
  const code = typeof error === 'string' ? error : `status ${status}`;
  const why = typeof error_description === 'string' ? `: ${error_description}` : '';
  return new SdkFault('refused', `The issuer gives no passport (${code}${why}).`, { oauthError: code });
}

function readPassport(body: JsonObject, askedAt: number): IssuedPassport {
  const { access_token, token_type, expires_in, scope, authorization_details } = body;
  const bound = typeof token_type === 'string' && token_type.toLowerCase() === 'dpop';
  if (typeof access_token !== 'string' || typeof expires_in !== 'number' || !bound) {
    throw new SdkFault('malformed', 'The issuer did not answer with a passport that is bound to our key.');
  }
  return {
    token: access_token,
    expiresAt: askedAt + expires_in * 1000,
    scope: typeof scope === 'string' ? scope : '',
    authorizationDetails: Array.isArray(authorization_details) ? authorization_details : [],
  };
}
