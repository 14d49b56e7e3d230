import { encodeBase64url } from './base64url.ts';
import type { PublicJwk } from './public-jwk.ts';

/** SHA-256: node:crypto in the gate, WebCrypto in the SDK. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>;

/** JWK thumbprint with SHA-256 (RFC 7638, for OKP keys RFC 8037): the required members in order, hashed. */
export async function jwkThumbprint(key: PublicJwk, sha256: Sha256): Promise<string> {
  return encodeBase64url(await sha256(new TextEncoder().encode(JSON.stringify(requiredMembers(key)))));
}

function requiredMembers(key: PublicJwk): Record<string, string> {
  switch (key.kty) {
    case 'EC':
      return { crv: key.crv, kty: key.kty, x: key.x, y: key.y };
    case 'OKP':
      return { crv: key.crv, kty: key.kty, x: key.x };
    case 'RSA':
      return { e: key.e, kty: key.kty, n: key.n };
  }
}
