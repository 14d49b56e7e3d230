import { createHash, createHmac, KeyObject, randomUUID, sign } from 'node:crypto';
import { z } from 'zod';
import type { TestKey } from './support.ts';

const members = z.record(z.string(), z.unknown());

/** One change to a good proof, as vectors/dpop.json writes it. */
export const mutation = z.strictObject({
  alg: z.string().optional(),
  key: z.enum(['ed25519', 'other', 'own-public-jwk', 'rsa', 'rsa1024']).optional(),
  jwk: z.enum(['private', 'oct', 'other', 'off-curve', 'd-null']).optional(),
  header: members.optional(),
  claims: members.optional(),
  secondClaims: members.optional(),
  claimSizes: z.record(z.string(), z.number()).optional(),
  iatOffset: z.number().optional(),
  iatUnit: z.literal('ms').optional(),
  nonce: z.enum(['current', 'unknown', 'expired', 'other-server']).optional(),
  nonceRequired: z.boolean().optional(),
  athForm: z.enum(['padded', 'hex', 'sha512']).optional(),
  request: z
    .strictObject({ url: z.string().optional(), headers: z.record(z.string(), z.string()).optional() })
    .optional(),
  scheme: z.literal('Bearer').optional(),
  proofs: z.number().optional(),
  joined: z.boolean().optional(),
  proofText: z.string().optional(),
  signature: z.enum(['flip', 'other-key']).optional(),
  token: z.literal('unbound').optional(),
  grant: z.enum(['refresh_token', 'authorization_code']).optional(),
  repeat: z.number().optional(),
  parallel: z.boolean().optional(),
  nodes: z.number().optional(),
  expectAccepted: z.union([z.number(), z.string()]).optional(),
});

export type Mutation = z.infer<typeof mutation>;

export interface ProofKeys {
  readonly own: TestKey;
  readonly other: TestKey;
  readonly ed25519: TestKey;
  readonly rsa: TestKey;
  readonly rsa1024: TestKey;
}

export interface ProofContext {
  readonly keys: ProofKeys;
  readonly htm: string;
  readonly htu: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly accessToken: string | null;
  readonly nonce: string | null;
}

/** A good proof with one thing changed; `claims` come on top of the change. */
export function mutatedProof(
  change: Mutation,
  o: ProofContext,
  claims: Record<string, unknown> = {},
): string {
  if (change.proofText !== undefined) return change.proofText;
  const key = keyOf(change, o.keys);
  const header = without({
    typ: 'dpop+jwt',
    alg: change.alg ?? key.alg,
    jwk: embedded(change, key, o.keys),
    ...change.header,
  });
  const body = without({
    jti: randomUUID(),
    htm: o.htm,
    htu: o.htu,
    iat: issuedAt(change, o.now),
    ...(o.accessToken === null ? {} : { ath: tokenHash(change, o.accessToken) }),
    ...(o.nonce === null ? {} : { nonce: o.nonce }),
    ...change.claims,
    ...sized(change.claimSizes),
    ...claims,
  });
  const text = `${encode(header)}.${encode(body)}`;
  return `${text}.${signature(change, key, o.keys, text).toString('base64url')}`;
}

function keyOf(change: Mutation, keys: ProofKeys): TestKey {
  switch (change.key) {
    case undefined:
    case 'own-public-jwk':
      return keys.own;
    case 'ed25519':
    case 'other':
    case 'rsa':
    case 'rsa1024':
      return keys[change.key];
  }
}

function embedded(change: Mutation, key: TestKey, keys: ProofKeys): object {
  switch (change.jwk) {
    case undefined:
      return key.publicJwk;
    case 'private':
      return KeyObject.from(key.privateKey).export({ format: 'jwk' });
    case 'oct':
      return { kty: 'oct', k: Buffer.from('visibly-fake-symmetric-key').toString('base64url') };
    case 'other':
      return keys.other.publicJwk;
    case 'off-curve':
      return { ...key.publicJwk, y: Buffer.alloc(32, 1).toString('base64url') };
    case 'd-null':
      return { ...key.publicJwk, d: null };
  }
}

function issuedAt(change: Mutation, now: number): number {
  if (change.iatUnit === 'ms') return now;
  return Math.floor(now / 1000) + (change.iatOffset ?? 0);
}

function tokenHash(change: Mutation, token: string): string {
  const hash = createHash('sha256').update(token);
  switch (change.athForm) {
    case undefined:
      return hash.digest('base64url');
    case 'padded':
      return `${hash.digest('base64url')}=`;
    case 'hex':
      return hash.digest('hex');
    case 'sha512':
      return createHash('sha512').update(token).digest('base64url');
  }
}

function sized(sizes: Record<string, number> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(sizes).map(([name, size]) => [name, 'x'.repeat(size)]));
}

function signature(change: Mutation, key: TestKey, keys: ProofKeys, text: string): Buffer {
  const signer = change.signature === 'other-key' ? keys.other : key;
  switch (change.alg) {
    case 'none':
      return Buffer.alloc(0);
    case 'HS256':
      return createHmac('sha256', JSON.stringify(key.publicJwk)).update(text).digest();
  }
  const bytes = signBy(signer, change.alg === 'RS1' ? 'sha1' : 'sha256', text);
  if (change.signature === 'flip') bytes[0] = (bytes[0] ?? 0) ^ 1;
  return bytes;
}

function signBy(key: TestKey, hash: string, text: string): Buffer {
  const object = KeyObject.from(key.privateKey);
  const data = Buffer.from(text);
  if (object.asymmetricKeyType === 'ed25519') return sign(null, data, object);
  return sign(hash, data, { key: object, dsaEncoding: 'ieee-p1363' });
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** In the vectors null takes a member out. */
function without(given: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
}
