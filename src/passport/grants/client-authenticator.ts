import { type Clock, type JsonObject, LIMITS } from '../../core/index.ts';
import {
  checkSignature,
  ProofFault,
  type PublicJwk,
  parseCompactJws,
  parsePublicJwk,
  readClaims,
} from '../../proof/index.ts';
import type { AgentDirectory } from '../agent-directory.ts';
import { ASSERTION_ALGORITHMS } from '../agent-input.ts';
import { checkClientAssertion } from '../client-assertion.ts';
import type { ClientCertificate } from '../client-certificate.ts';
import type { ClientDocuments } from '../client-documents/client-documents.ts';
import { parallelSignatureVerifier } from '../crypto.ts';
import type { Authenticated, Within } from '../issuing.ts';
import { OAuthFault } from '../oauth-fault.ts';
import type { Pepper } from '../pepper.ts';
import type { Ratchets, RatchetUse } from '../ratchet/ratchet.ts';
import { readRatchetUse } from '../ratchet/ratchet-assertion.ts';
import type { AgentRecord } from '../store.ts';
import type { OnceOnly } from './once.ts';
import type { TokenForm } from './token-form.ts';

export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const ALGORITHMS = new Set(ASSERTION_ALGORITHMS);
const LOADED_KEYS = 4096;
const SKEW_SECONDS = 5;
const MARGIN_MS = 60_000;

/** A client that proved who it is. Its assertion counts as used once `once` is used. */
export interface AuthenticatedClient extends Authenticated {
  readonly once: readonly OnceOnly[];
  /** Further work in the transaction that issues, once what may be used once was. */
  readonly within?: Within;
}

/** What a client shows beside the form. */
export interface ShownByClient {
  readonly authorization: string | undefined;
  /** Null: none, or the listener does not speak TLS itself. */
  readonly certificate: ClientCertificate | null;
  /** Hears which agent the client says it is, where there is one: it has proved nothing yet. */
  readonly onClaimed: (clientId: string) => void;
}

type Claimed = ShownByClient['onClaimed'];

export interface ClientAuthenticatorOptions {
  /** What an assertion may name as its audience: the issuer, or an endpoint that clients authenticate at. */
  readonly assertionAudiences: readonly string[];
  readonly directory: AgentDirectory;
  readonly pepper: Pepper;
  readonly clock: Clock;
  readonly ratchets: Ratchets;
  readonly documents: ClientDocuments;
  /** Whether a thing that may be used once was used. */
  readonly wasUsed: (thing: OnceOnly) => Promise<boolean>;
}

/**
 * Client authentication for the grants that are ours: private_key_jwt (RFC 7523), a generated secret, or a certificate
 * of the TLS handshake (RFC 8705).
 */
export class ClientAuthenticator {
  readonly #o: ClientAuthenticatorOptions;
  readonly #verifySignature = parallelSignatureVerifier(LOADED_KEYS);

  constructor(o: ClientAuthenticatorOptions) {
    this.#o = o;
  }

  /** Throws OAuthFault: invalid_client, invalid_request. */
  async authenticate(form: TokenForm, shownBy: ShownByClient): Promise<AuthenticatedClient> {
    const { authorization, certificate, onClaimed } = shownBy;
    const assertion = form.one('client_assertion');
    const posted = form.one('client_secret');
    const shown = [assertion, posted, authorization].filter((one) => one != null).length;
    if (shown > 1) throw new OAuthFault('invalid_request', 'the client authenticates in more than one way');
    if (assertion !== null) return this.#byAssertion(form, assertion, onClaimed);
    if (authorization !== undefined) {
      const { id, secret } = readBasic(authorization);
      if ((form.one('client_id') ?? id) !== id) throw new OAuthFault('invalid_request', 'client_id mismatch');
      return this.#bySecret(id, secret, onClaimed);
    }
    if (posted !== null) return this.#bySecret(form.required('client_id'), posted, onClaimed);
    if (certificate !== null && form.has('client_id')) {
      return this.#byCertificate(form.required('client_id'), certificate, onClaimed);
    }
    throw failed('the client did not authenticate');
  }

  /** As `authenticate`; a public client that shows nothing is taken for what it says it is, as there is nothing to prove. */
  async authenticateOrName(form: TokenForm, shownBy: ShownByClient): Promise<AuthenticatedClient> {
    const { authorization, onClaimed } = shownBy;
    const shows = form.has('client_assertion') || form.has('client_secret') || authorization !== undefined;
    if (shows || !form.has('client_id')) return this.authenticate(form, shownBy);
    const clientId = form.required('client_id');
    const { documents } = this.#o;
    const fromDocument = documents.isAddress(clientId);
    const agent = fromDocument ? await documents.read(clientId) : await this.#active(clientId, onClaimed);
    if (!agent.publicClient) return this.authenticate(form, shownBy);
    // One that is known by its document alone comes aboard when a person lets it act, not when somebody names it.
    return { agent, by: { kind: 'public' }, once: [] };
  }

  /** RFC 8705 section 2.2: the handshake proved the key; the certificate must be one that was registered. */
  async #byCertificate(
    clientId: string,
    shown: ClientCertificate,
    onClaimed: Claimed,
  ): Promise<AuthenticatedClient> {
    const agent = await this.#active(clientId, onClaimed);
    const now = this.#o.clock.now();
    const known = agent.certificates.some(({ x5t }) => x5t === shown.x5t);
    if (!known || shown.notBefore > now || shown.notAfter <= now) throw failed();
    return { agent, by: { kind: 'certificate', id: shown.x5t }, once: [] };
  }

  async #bySecret(clientId: string, secret: string, onClaimed: Claimed): Promise<AuthenticatedClient> {
    const agent = await this.#active(clientId, onClaimed);
    if (agent.ratchet) throw failed();
    const id = this.#o.pepper.matchSecret(agent, secret, this.#o.clock.now());
    if (id === null) throw failed();
    return { agent, by: { kind: 'secret', id }, once: [] };
  }

  async #byAssertion(form: TokenForm, text: string, onClaimed: Claimed): Promise<AuthenticatedClient> {
    if (form.one('client_assertion_type') !== ASSERTION_TYPE) {
      throw new OAuthFault('invalid_request', `client_assertion_type must be ${ASSERTION_TYPE}`);
    }
    const { jws, claims } = parse(text);
    const { sub, iss, jti, exp } = claims;
    if (typeof sub !== 'string' || iss !== sub || (form.one('client_id') ?? sub) !== sub) {
      throw failed('the client assertion must be issued by the client about itself');
    }
    const { documents } = this.#o;
    const fromDocument = documents.isAddress(sub);
    const shown = fromDocument ? await documents.read(sub) : await this.#active(sub, onClaimed);
    const now = this.#o.clock.now();
    const kid = checkClientAssertion(text, shown, now);
    const { key, use } = await readKeys(shown, kid, jws, claims);
    await checkSignature(jws, key, this.#verifySignature).catch(notValid);
    this.#checkClaims(claims, now);
    const agent = fromDocument ? await documents.admit(sub, shown) : shown;
    const expiresAt = Number(exp) * 1000 + MARGIN_MS;
    const fault = () => failed('client assertion tokens must only be used once');
    const once = { by: sub, jti: String(jti), expiresAt, fault };
    const client = { agent, by: { kind: 'key', kid }, once: [once] } as const;
    if (use === null) return client;
    // An assertion that somebody caught and sends again is no copy of a key.
    if (await this.#o.wasUsed(once)) throw fault();
    const { ratchets } = this.#o;
    await ratchets.admit(agent, use).catch((cause: unknown) => ratchets.answer(cause));
    return { ...client, within: (stores) => ratchets.use(stores.ratchets, agent, use) };
  }

  #checkClaims({ aud, exp, nbf, iat }: JsonObject, now: number): void {
    const audiences = Array.isArray(aud) ? aud : [aud];
    const { assertionAudiences } = this.#o;
    if (!audiences.some((one) => typeof one === 'string' && assertionAudiences.includes(one))) {
      throw failed('the client assertion is for another audience');
    }
    const seconds = now / 1000;
    const begins = [nbf, iat].filter((time) => time !== undefined);
    const good =
      typeof exp === 'number' &&
      exp > seconds &&
      begins.every((time) => typeof time === 'number' && time <= seconds + SKEW_SECONDS);
    if (!good) throw failed('the client assertion has expired, or is not valid yet');
  }

  async #active(id: string, onClaimed: Claimed): Promise<AgentRecord> {
    const agent = await this.#o.directory.find(id);
    if (agent !== null) onClaimed(agent.id);
    // The same words for all: who may not know must not learn which agents there are.
    if (agent?.status !== 'active') throw failed();
    return agent;
  }
}

/** The key that signed: the registered one, or where keys give way the one whose turn it is. Throws OAuthFault. */
async function readKeys(
  agent: AgentRecord,
  kid: string,
  { header }: { readonly header: JsonObject },
  claims: JsonObject,
): Promise<{ readonly key: PublicJwk; readonly use: RatchetUse | null }> {
  if (!agent.ratchet) {
    return { key: parsePublicJwk(agent.jwks.find((jwk) => jwk.kid === kid)), use: null };
  }
  return readRatchetUse(agent, kid, { header, claims }).catch(notValid);
}

function notValid(cause: unknown): never {
  throw cause instanceof ProofFault ? failed('the client assertion is not valid', cause) : cause;
}

function parse(text: string) {
  try {
    const jws = parseCompactJws(text, { maxChars: LIMITS.proofChars, algorithms: ALGORITHMS });
    return { jws, claims: readClaims(jws) };
  } catch (cause) {
    if (cause instanceof ProofFault) throw failed('the client assertion is not well-formed', cause);
    throw cause;
  }
}

/** RFC 6749 section 2.3.1: both parts are form-encoded first. */
function readBasic(authorization: string): { readonly id: string; readonly secret: string } {
  const [, encoded] = /^basic ([A-Za-z0-9+/]+={0,2})$/i.exec(authorization) ?? [];
  const text = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString('utf8');
  const at = text.indexOf(':');
  if (at < 1) throw new OAuthFault('invalid_request', 'the Authorization field is malformed');
  try {
    const decode = (part: string) => decodeURIComponent(part.replaceAll('+', '%20'));
    return { id: decode(text.slice(0, at)), secret: decode(text.slice(at + 1)) };
  } catch (cause) {
    throw new OAuthFault('invalid_request', 'the Authorization field is malformed', { cause });
  }
}

function failed(description = 'client authentication failed', cause?: unknown): OAuthFault {
  return new OAuthFault('invalid_client', description, { cause });
}
