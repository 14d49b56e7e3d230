import { readFile } from 'node:fs/promises';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { z } from 'zod';
import type { JsonObject } from '../../src/core/index.ts';
import { ProofFault, type PublicJwk, parsePublicJwk, parseStatusList } from '../../src/proof/index.ts';
import { SdkFault } from '../../src/sdk/fault.ts';
import { StatusLists } from '../../src/sdk/status-lists.ts';
import type { VectorResult } from './main.ts';

const listCase = z.object({
  id: z.string(),
  class: z.enum(['draft', 'own', 'reject', 'index']),
  input: z.looseObject({ index: z.unknown().optional() }),
  expected: z.union([
    z.object({ valid: z.literal(false) }),
    z.object({
      valid: z.literal(true),
      size: z.number(),
      statuses: z.record(z.string(), z.number()),
      allOthers: z.number().optional(),
    }),
  ]),
});
const tokenCase = z.object({
  id: z.string(),
  class: z.literal('token'),
  input: z.strictObject({
    base: z.record(z.string(), z.json()),
    change: z.record(z.string(), z.json()),
  }),
  expected: z.object({ valid: z.boolean() }),
});
const vectors = z.object({ cases: z.array(z.union([tokenCase, listCase])) });

/** The decoder of lists, and the client of the SDK with tokens that it gets over HTTP, on every case of the file. */
export async function run(path: string): Promise<VectorResult> {
  const { cases } = vectors.parse(JSON.parse(await readFile(path, 'utf8')));
  const issuer = await TokenIssuer.make();
  const failures: { id: string; why: string }[] = [];
  // The token without a fault must pass: else every refusal below would prove nothing.
  const [sample] = cases.filter((one) => one.class === 'token');
  if (sample?.class !== 'token' || !(await issuer.accepts(sample.input.base, {}))) {
    failures.push({ id: 'base', why: 'the token without a fault was refused' });
  }
  for (const vector of cases) {
    const why = await judge(vector, issuer).catch((fault: unknown) => `crashed: ${String(fault)}`);
    if (why !== null) failures.push({ id: vector.id, why });
  }
  return { passed: cases.length - failures.length, total: cases.length, failures };
}

async function judge(
  vector: z.infer<typeof vectors>['cases'][number],
  issuer: TokenIssuer,
): Promise<string | null> {
  if (vector.class === 'token') {
    const { base, change } = vector.input;
    const accepted = await issuer.accepts(base, change);
    return accepted === vector.expected.valid ? null : `was ${accepted ? 'accepted' : 'refused'}`;
  }
  return judgeList(vector);
}

async function judgeList({ input, expected }: z.infer<typeof listCase>): Promise<string | null> {
  const { index, ...given } = input;
  try {
    const list = await parseStatusList(JSON.parse(JSON.stringify(given)));
    if (!expected.valid) {
      const status = list.at(index);
      return `entry ${String(index)} was read as ${status}`;
    }
    if (list.size !== expected.size) return `has ${list.size} entries`;
    for (const [entry, status] of Object.entries(expected.statuses)) {
      if (list.at(Number(entry)) !== status) return `entry ${entry} is ${list.at(Number(entry))}`;
    }
    if (expected.allOthers === undefined) return null;
    for (let entry = 0; entry < list.size; entry += 1) {
      const named = expected.statuses[String(entry)] !== undefined;
      if (!named && list.at(entry) !== expected.allOthers) return `entry ${entry} is ${list.at(entry)}`;
    }
    return null;
  } catch (fault) {
    if (!(fault instanceof ProofFault)) throw fault;
    return expected.valid ? `was refused: ${fault.message}` : null;
  }
}

/** Makes the tokens that the cases describe, and lets the SDK fetch them. */
class TokenIssuer {
  readonly #privateKey: CryptoKey;
  readonly #publicKey: PublicJwk;

  private constructor(privateKey: CryptoKey, publicKey: PublicJwk) {
    this.#privateKey = privateKey;
    this.#publicKey = publicKey;
  }

  static async make(): Promise<TokenIssuer> {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const { kty = '', crv = '', x = '', y = '' } = await exportJWK(publicKey);
    return new TokenIssuer(privateKey, parsePublicJwk({ kty, crv, x, y }));
  }

  /** Whether the SDK reads entry 1, which is valid in the list of the cases. */
  async accepts(base: Record<string, unknown>, change: Record<string, unknown>): Promise<boolean> {
    const { http_status = 200, content_type, size_bytes, signature, ...claims } = change;
    const { uri, ...token } = { ...base, ...claims } as Record<string, unknown>;
    let text = await this.#sign(token);
    if (signature === 'flipped') text = flipped(text);
    if (typeof size_bytes === 'number') text = text.padEnd(size_bytes, 'A');
    const issuer = String(base.iss);
    const answer = async () =>
      new Response(text, {
        status: Number(http_status),
        headers: { 'content-type': String(content_type ?? 'application/statuslist+jwt') },
      });
    const lists = new StatusLists({
      issuer,
      fetch: answer as typeof fetch,
      now: () => Date.now(),
      keys: { prepare: async () => {}, find: (kid) => (kid === base.kid ? this.#publicKey : null) },
    });
    try {
      return (await lists.statusOf({ uri: String(uri), index: 1 })) === 0;
    } catch (fault) {
      if (fault instanceof ProofFault || fault instanceof SdkFault) return false;
      throw fault;
    }
  }

  async #sign(given: Record<string, unknown>): Promise<string> {
    const { typ, alg, kid, iat, exp, ...rest } = given;
    const now = Math.floor(Date.now() / 1000);
    const payload = present({
      ...rest,
      iat: typeof iat === 'number' ? now + iat : iat,
      exp: typeof exp === 'number' ? now + exp : exp,
    });
    const header = present({ typ, alg, kid });
    if (alg === 'none') return `${encode(header)}.${encode(payload)}.`;
    return new SignJWT(payload).setProtectedHeader({ alg: 'ES256', ...header }).sign(this.#privateKey);
  }
}

/** Null in a case means that the member is absent. */
function present(members: Record<string, unknown>): JsonObject {
  const entries = Object.entries(members).filter(([, value]) => value !== null && value !== undefined);
  return JSON.parse(JSON.stringify(Object.fromEntries(entries)));
}

function encode(value: JsonObject): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function flipped(text: string): string {
  const at = text.lastIndexOf('.') + 5;
  return `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
}
