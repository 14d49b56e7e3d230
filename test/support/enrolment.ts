import { generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, type JWK } from 'jose';
import type { Bench, TestKey } from '../unit/passport/support.ts';

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Headers;
}

/** One JSON request; `body` absent: none. */
export async function askJson(
  method: string,
  url: string,
  o: { readonly body?: unknown; readonly headers?: Record<string, string> } = {},
): Promise<Answer> {
  const answer = await fetch(url, {
    method,
    ...(o.body === undefined ? {} : { body: JSON.stringify(o.body) }),
    headers: { ...(o.body === undefined ? {} : { 'content-type': 'application/json' }), ...o.headers },
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? {} : JSON.parse(text), headers: answer.headers };
}

/** An initial access token as an administrator makes it. */
export async function initialToken(
  bench: Bench,
  o: { readonly scopes?: string[]; readonly maxUses?: number; readonly lifetimeMs?: number } = {},
): Promise<{ readonly id: string; readonly token: string }> {
  const { view, token } = await bench.room.initialTokens.create(
    {
      name: `enrol-${randomUUID().slice(0, 8)}`,
      owner: 'alice@example.com',
      scopes: o.scopes ?? ['github:read', 'github:write'],
      maxUses: o.maxUses ?? 1,
      expiresAt: bench.clock.now() + (o.lifetimeMs ?? 60_000),
    },
    'admin',
  );
  return { id: view.id, token: token.use((bytes) => Buffer.from(bytes).toString('utf8')) };
}

export interface EdKey {
  readonly secret: KeyObject;
  readonly publicKeyB64: string;
  /** For DPoP proofs with the same key. */
  readonly dpop: TestKey;
}

export async function newEdKey(): Promise<EdKey> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const publicJwk: JWK = await exportJWK(publicKey);
  const raw = Buffer.from(publicJwk.x ?? '', 'base64url');
  const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' });
  const webKey = await crypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', true, ['sign']);
  return {
    secret: privateKey,
    publicKeyB64: raw.toString('base64'),
    dpop: {
      privateKey: webKey,
      publicJwk,
      alg: 'EdDSA',
      thumbprint: await calculateJwkThumbprint(publicJwk),
    },
  };
}

/** A client of Agent Passport's endpoints: it signs the text of the nonce, as that project's SDK has it done. */
export class ChallengeAgent {
  readonly bench: Bench;
  readonly id: string;
  readonly key: EdKey;
  readonly registrationToken: string;

  constructor(bench: Bench, id: string, key: EdKey, registrationToken: string) {
    this.bench = bench;
    this.id = id;
    this.key = key;
    this.registrationToken = registrationToken;
  }

  static async register(bench: Bench, o: { readonly scopes?: string[] } = {}): Promise<ChallengeAgent> {
    const key = await newEdKey();
    const { token } = await initialToken(bench, o);
    const { status, body } = await askJson('POST', `${bench.issuer}/v1/agents/register`, {
      body: { handle: `agent-${randomUUID().slice(0, 8)}`, publicKeyB64: key.publicKeyB64 },
      headers: { authorization: `Bearer ${token}` },
    });
    if (status !== 201) throw new Error(`not registered: ${status} ${JSON.stringify(body)}`);
    return new ChallengeAgent(bench, String(body.agentId), key, String(body.registrationAccessToken));
  }

  get url(): string {
    return `${this.bench.issuer}/v1/agents/${this.id}`;
  }

  async challenge(): Promise<{ challengeId: string; nonce: string; expiresAt: string }> {
    const { body } = await askJson('POST', `${this.url}/challenge`);
    return body as { challengeId: string; nonce: string; expiresAt: string };
  }

  sign(nonce: string, key: KeyObject = this.key.secret): string {
    return sign(null, Buffer.from(nonce, 'utf8'), key).toString('base64');
  }

  signBytes(bytes: Uint8Array): string {
    return sign(null, bytes, this.key.secret).toString('base64');
  }

  async identityToken(
    more: Record<string, unknown> | ((nonce: string) => Record<string, unknown>) = {},
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const { challengeId, nonce } = await this.challenge();
    return askJson('POST', `${this.url}/identity-token`, {
      body: {
        challengeId,
        signatureB64: this.sign(nonce),
        scopes: [],
        ...(typeof more === 'function' ? more(nonce) : more),
      },
      headers,
    });
  }

  async token(more: Record<string, unknown> = {}): Promise<string> {
    const { status, body } = await this.identityToken(more);
    if (status !== 200) throw new Error(`no token: ${status} ${JSON.stringify(body)}`);
    return String(body.token);
  }
}
