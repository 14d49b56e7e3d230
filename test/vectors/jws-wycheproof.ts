import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { JsonObject } from '../../src/core/index.ts';
import { signatureVerifier } from '../../src/passport/index.ts';
import {
  checkAccessTokenTime,
  checkSignature,
  ProofFault,
  type PublicJwk,
  parseCompactJws,
  parsePublicJwk,
  type SignatureAlgorithm,
  verifyAccessToken,
} from '../../src/proof/index.ts';
import type { VectorResult } from './main.ts';

const OFFERED: ReadonlySet<SignatureAlgorithm> = new Set([
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
]);

const jwk = z.custom<JsonObject>((value) => typeof value === 'object' && value !== null);
const wycheproof = z.object({ jws: z.string(), key: z.string() });
const accessToken = z.object({
  token: z.string().optional(),
  /** Stands for a token of that size, which the file does not store. */
  tokenBytes: z.number().optional(),
  keys: z.array(z.string()),
  now: z.number(),
  expect: z.object({
    iss: z.string(),
    aud: z.string(),
    typ: z.literal('at+jwt'),
    algs: z.array(z.string()),
  }),
});
const vectors = z.object({
  keys: z.record(z.string(), jwk),
  cases: z.array(
    z.object({
      id: z.string(),
      input: z.union([wycheproof, accessToken]),
      expected: z.enum(['valid', 'invalid', 'acceptable']),
    }),
  ),
});

const verifySignature = signatureVerifier(16);

/** The compact JWS reader and the access token check of the gate, on every case of the file. */
export async function run(path: string): Promise<VectorResult> {
  const { keys, cases } = vectors.parse(JSON.parse(await readFile(path, 'utf8')));
  const failures: { id: string; why: string }[] = [];
  for (const { id, input, expected } of cases) {
    const outcome = await attempt(() => ('jws' in input ? verifyJws(input, keys) : verifyToken(input, keys)));
    const offered = !('jws' in input) || isOffered(keys[input.key]);
    if (outcome instanceof Error && !(outcome instanceof ProofFault)) {
      failures.push({ id, why: `crashed: ${outcome.message}` });
    } else if (expected === 'invalid' && outcome === null) {
      failures.push({ id, why: 'was accepted' });
    } else if (expected === 'valid' && outcome !== null && offered) {
      failures.push({ id, why: `was refused: ${outcome.message}` });
    } else if (expected === 'valid' && outcome === null && !offered) {
      failures.push({ id, why: 'was accepted with an algorithm that is not offered' });
    }
  }
  return { passed: cases.length - failures.length, total: cases.length, failures };
}

async function attempt(check: () => Promise<void>): Promise<Error | null> {
  try {
    await check();
    return null;
  } catch (fault) {
    return fault instanceof Error ? fault : new Error(String(fault));
  }
}

function isOffered(key: JsonObject | undefined): boolean {
  return OFFERED.has(key?.alg as SignatureAlgorithm);
}

/** The key's own algorithm is the only one that is allowed. */
async function verifyJws(input: z.infer<typeof wycheproof>, keys: Record<string, JsonObject>): Promise<void> {
  const key = parsePublicJwk(keys[input.key]);
  const jws = parseCompactJws(input.jws, {
    maxChars: 64 * 1024,
    algorithms: new Set(key.alg === null ? [] : [key.alg]),
  });
  await checkSignature(jws, key, verifySignature);
}

async function verifyToken(
  input: z.infer<typeof accessToken>,
  keys: Record<string, JsonObject>,
): Promise<void> {
  const known = new Map<string, PublicJwk>();
  for (const name of input.keys) known.set(name, parsePublicJwk(keys[name]));
  const algorithms = [...OFFERED].filter((algorithm) => input.expect.algs.includes(algorithm));
  const claims = await verifyAccessToken(input.token ?? ofSize(input.tokenBytes ?? 0), {
    issuer: input.expect.iss,
    audience: input.expect.aud,
    algorithms: new Set(algorithms),
    findKey: (kid) => known.get(kid) ?? null,
    verifySignature,
  });
  checkAccessTokenTime(claims, input.now * 1000);
}

/** Size alone decides, so what stands in it does not matter. */
function ofSize(bytes: number): string {
  const [header, signature] = ['eyJhbGciOiJFUzI1NiIsImtpZCI6ImVjMSIsInR5cCI6ImF0K2p3dCJ9', 'A'.repeat(86)];
  return [header, 'A'.repeat(bytes - header.length - signature.length - 2), signature].join('.');
}
