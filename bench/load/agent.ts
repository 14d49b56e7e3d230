import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  randomUUID,
  sign,
} from 'node:crypto';

/** A P-256 key that signs as agents do; synchronous, so that a load generator can make proofs ahead. */
export class SigningKey {
  readonly #privateKey: KeyObject;
  readonly publicJwk: JsonWebKey;

  constructor(privateKey: KeyObject = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey) {
    this.#privateKey = privateKey;
    this.publicJwk = createPublicKey(privateKey).export({ format: 'jwk' });
  }

  static fromPem(pem: string): SigningKey {
    return new SigningKey(createPrivateKey(pem));
  }

  static fromJwk(key: object): SigningKey {
    return new SigningKey(createPrivateKey({ key: key as JsonWebKey, format: 'jwk' }));
  }

  get privateJwk(): JsonWebKey {
    return this.#privateKey.export({ format: 'jwk' });
  }

  /** PKCS #8. */
  get pem(): string {
    return this.#privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  }

  /** A JWS (RFC 7515) over the claims. */
  sign(header: object, claims: object): string {
    const input = `${encode({ alg: 'ES256', ...header })}.${encode(claims)}`;
    const key = { key: this.#privateKey, dsaEncoding: 'ieee-p1363' as const };
    return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`;
  }

  /** A DPoP proof (RFC 9449) for one request. */
  prove(o: { readonly htm: string; readonly htu: string; readonly token?: string }): string {
    const { htm, htu, token } = o;
    return this.sign(
      { typ: 'dpop+jwt', jwk: this.publicJwk },
      {
        htm,
        htu,
        jti: randomUUID(),
        iat: Math.floor(Date.now() / 1000),
        ...(token === undefined ? {} : { ath: createHash('sha256').update(token).digest('base64url') }),
      },
    );
  }

  /** A client assertion (RFC 7523). */
  assert(clientId: string, audience: string, kid: string): string {
    const iat = Math.floor(Date.now() / 1000);
    return this.sign(
      { kid },
      { iss: clientId, sub: clientId, aud: audience, jti: randomUUID(), iat, exp: iat + 60 },
    );
  }
}

export interface Client {
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly clientId: string;
  readonly kid: string;
  /** Signs assertions. */
  readonly key: SigningKey;
  /** Signs proofs. */
  readonly proofKey: SigningKey;
  readonly resource: string;
  readonly scope: string | null;
}

/** The fields of a form by which a client authenticates with private_key_jwt. */
export function assertionForm(client: Client): Readonly<Record<string, string>> {
  return {
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: client.key.assert(client.clientId, client.issuer, client.kid),
  };
}

/** The body of a token request: client_credentials with private_key_jwt. */
function tokenForm(client: Client): string {
  return new URLSearchParams({
    grant_type: 'client_credentials',
    resource: client.resource,
    client_id: client.clientId,
    ...assertionForm(client),
    ...(client.scope === null ? {} : { scope: client.scope }),
  }).toString();
}

/** One passport, bound by DPoP or to nothing. Throws with the issuer's words when it gives none. */
export async function requestToken(client: Client, binding: 'dpop' | 'none' = 'dpop'): Promise<string> {
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const response = await fetch(client.tokenEndpoint, {
    method: 'POST',
    headers:
      binding === 'none'
        ? form
        : { ...form, dpop: client.proofKey.prove({ htm: 'POST', htu: client.tokenEndpoint }) },
    body: tokenForm(client),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`the issuer answered ${response.status}: ${text}`);
  return JSON.parse(text).access_token as string;
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
