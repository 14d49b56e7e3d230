import { createECDH, hkdfSync, webcrypto } from 'node:crypto';
import type { SecretBytes } from '../../core/index.ts';

const CURVE = 'prime256v1';
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' } as const;
/** Order of P-256 (FIPS 186-5 and SP 800-186 section 3.2.1.3). */
const ORDER = 0xffffffff_00000000_ffffffff_ffffffff_bce6faad_a7179e84_f3b9cac2_fc632551n;
const INFO = 'sallyport/gateway/session-authority/1';
/** 128 bits more than the order has, so that the remainder is as good as uniform (FIPS 186-5 appendix A.2.1 asks 64). */
const MATERIAL_BYTES = 48;

/**
 * The signing key that a seed stands for, always the same one. So a session's authority outlives the process, and
 * every node that holds the vault's root key has it: programs that read the certificate once go on trusting.
 */
export async function sessionKey(seed: SecretBytes): Promise<webcrypto.CryptoKeyPair> {
  const material = seed.use((bytes) =>
    Buffer.from(hkdfSync('sha256', bytes, new Uint8Array(), INFO, MATERIAL_BYTES)),
  );
  const scalar = (BigInt(`0x${material.toString('hex')}`) % (ORDER - 1n)) + 1n;
  material.fill(0);
  const d = Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex');
  const ecdh = createECDH(CURVE);
  ecdh.setPrivateKey(d);
  const point = ecdh.getPublicKey();
  const open = {
    kty: 'EC',
    crv: 'P-256',
    x: point.subarray(1, 33).toString('base64url'),
    y: point.subarray(33).toString('base64url'),
  };
  const { subtle } = webcrypto;
  const [privateKey, publicKey] = await Promise.all([
    subtle.importKey('jwk', { ...open, d: d.toString('base64url') }, ALGORITHM, false, ['sign']),
    subtle.importKey('jwk', open, ALGORITHM, true, ['verify']),
  ]);
  d.fill(0);
  return { privateKey, publicKey };
}
