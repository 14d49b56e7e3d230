import type { KeyObject } from 'node:crypto';
import { importPKCS8 } from 'jose';
import {
  allowInsecureRequests,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  type Configuration,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  PrivateKeyJwt,
} from 'openid-client';
import { type Clock, type JsonValue, Refusal, type SecretBytes } from '../../core/index.ts';
import { type ClaimConditions, parseClaimConditions } from '../../proof/index.ts';

const DOCUMENT_BYTES = 256 * 1024;
const TIMEOUT_MS = 10_000;
/** What the provider says of itself is read again after this: endpoints move, keys are followed by the library. */
const KEPT_MS = 60 * 60_000;

/** An OpenID provider through which people sign in, as an administrator writes it. */
export interface UpstreamSettings {
  readonly name: string;
  /** What people call it. */
  readonly label: string;
  /** The exact `iss` of its tokens. */
  readonly issuer: string;
  readonly clientId: string;
  readonly credential:
    | { readonly kind: 'secret'; readonly secret: SecretBytes }
    | { readonly kind: 'key'; readonly key: KeyObject; readonly kid: string | null };
  readonly scopes: readonly string[];
  /** What its claims have to say of somebody who may sign in. */
  readonly claims: Readonly<Record<string, JsonValue>>;
  /** Whether whoever it vouches for becomes a user at the first sign-in. */
  readonly createUsers: boolean;
  /** Which claim such a user is named by. */
  readonly nameClaim: string;
  readonly allowPrivate: boolean;
}

/** One request under the rules of egress. */
export type GuardedFetch = (request: {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly mostBytes: number;
  readonly timeoutMs: number;
  readonly allowPrivate: boolean;
}) => Promise<{
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}>;

/** An upstream provider and what it says of itself. */
export class UpstreamProvider {
  readonly settings: UpstreamSettings;
  readonly conditions: ClaimConditions;
  readonly #fetch: GuardedFetch;
  readonly #clock: Clock;
  #known: { readonly configuration: Promise<Configuration>; readonly readAt: number } | null = null;

  /** Throws TypeError for settings that can't be. */
  constructor(settings: UpstreamSettings, o: { readonly fetch: GuardedFetch; readonly clock: Clock }) {
    this.settings = settings;
    this.conditions = conditionsOf(settings);
    this.#fetch = o.fetch;
    this.#clock = o.clock;
  }

  /** Rejects when the provider does not answer, or says that it is somebody else. */
  configuration(): Promise<Configuration> {
    const now = this.#clock.now();
    if (this.#known !== null && now - this.#known.readAt < KEPT_MS) return this.#known.configuration;
    const configuration = this.#discover();
    const known = { configuration, readAt: now };
    this.#known = known;
    // A failure is not kept.
    configuration.catch(() => {
      if (this.#known === known) this.#known = null;
    });
    return configuration;
  }

  async #discover(): Promise<Configuration> {
    const { issuer, clientId, allowPrivate } = this.settings;
    return discovery(new URL(issuer), clientId, undefined, await authenticationOf(this.settings), {
      // Signatures count even where TLS vouches for the token endpoint.
      execute: [enableNonRepudiationChecks, ...(allowPrivate ? [allowInsecureRequests] : [])],
      [customFetch]: (url, { method, headers, body }) => this.#ask(url, method, headers, body),
    });
  }

  async #ask(url: string, method: string, headers: Record<string, string>, body: unknown): Promise<Response> {
    if (method !== 'GET' && method !== 'POST') throw new TypeError(`providers are not asked by ${method}`);
    const text = body === null || body === undefined ? null : String(body);
    const form = body instanceof URLSearchParams ? { 'content-type': FORM } : {};
    const answer = await this.#fetch({
      url,
      method,
      headers: { ...form, ...headers },
      body: text,
      mostBytes: DOCUMENT_BYTES,
      timeoutMs: TIMEOUT_MS,
      allowPrivate: this.settings.allowPrivate,
    });
    const contentType = String(answer.headers['content-type'] ?? '');
    return new Response(answer.body, { status: answer.status, headers: { 'content-type': contentType } });
  }
}

const FORM = 'application/x-www-form-urlencoded;charset=UTF-8';

function conditionsOf({ name, claims }: UpstreamSettings): ClaimConditions {
  try {
    return parseClaimConditions(claims);
  } catch (cause) {
    throw new Refusal('input_invalid', {
      detail: `people.providers: the claims of ${name} can not be read.`,
      cause,
    });
  }
}

async function authenticationOf({ credential }: UpstreamSettings): Promise<ClientAuth> {
  if (credential.kind === 'key') {
    const key = await signingKeyOf(credential.key);
    return PrivateKeyJwt(credential.kid === null ? key : { key, kid: credential.kid });
  }
  return (server, ...rest) => {
    const { token_endpoint_auth_methods_supported: methods } = server;
    const send =
      methods === undefined || methods.includes('client_secret_basic') ? ClientSecretBasic : ClientSecretPost;
    return credential.secret.use((bytes) => send(Buffer.from(bytes).toString('utf8'))(server, ...rest));
  };
}

/** For the algorithm that goes with it. Throws TypeError for a key that no provider takes. */
function signingKeyOf(key: KeyObject): Promise<CryptoKey> {
  const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
  if (key.asymmetricKeyType === 'rsa') return importPKCS8(pem, 'RS256');
  if (key.asymmetricKeyType === 'ed25519') return importPKCS8(pem, 'Ed25519');
  if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return importPKCS8(pem, 'ES256');
  throw new TypeError('people.providers: the key of a client is RSA, P-256 or Ed25519');
}
