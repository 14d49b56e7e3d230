import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../core/index.ts';
import { createKeyFile, KeyFileError, readKeyFile, replaceKeyFile } from '../files/index.ts';
import { jwkThumbprint, type PublicJwk, parsePublicJwk } from '../proof/index.ts';
import { sha256 } from './crypto.ts';

export const SIGNING_FILE = 'passport-signing.json';

/** A verifier elsewhere may hold the key set for this long after its last passport ran out. */
const GRACE_MS = 60_000;
/** Longest lifetime that a setting allows; the one in force may have been longer before. */
export const LONGEST_LIFETIME_SECONDS = 3600;

const privateJwk = z.strictObject({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  d: z.string().min(1),
});

const signingKey = z.strictObject({
  kid: z.string().min(1),
  /** `next` is published but signs nothing yet; `retired` checks what it signed, until `until`. */
  status: z.enum(['next', 'current', 'retired']),
  createdAt: z.number(),
  until: z.number().nullable(),
  jwk: privateJwk,
});

const keyFile = z
  .strictObject({ version: z.literal(1), keys: z.array(signingKey).min(2) })
  .refine(({ keys }) => keys.filter(({ status }) => status === 'current').length === 1)
  .refine(({ keys }) => keys.filter(({ status }) => status === 'next').length === 1);

type SigningKey = z.infer<typeof signingKey>;
export type PrivateJwk = z.infer<typeof privateJwk>;

/** A key of the issuer as its key set (RFC 7517) shows it. */
export interface PublishedKey {
  readonly kid: string;
  readonly kty: string;
  readonly crv: string;
  readonly x: string;
  readonly y: string;
  readonly use: 'sig';
  readonly alg: 'ES256';
}

/**
 * The issuer's ES256 keys. There is always a next one, published before it signs anything, so that a verifier
 * with an older copy of the key set knows it already when it takes over.
 */
export class SigningKeys {
  readonly #path: string;
  readonly #clock: Clock;
  #text = '';
  #keys: readonly SigningKey[] = [];
  #public: ReadonlyMap<string, PublicJwk> = new Map();
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
  }

  /** Reads `passport-signing.json`, or makes it (0600). Throws KeyFileError when it is damaged. */
  static async open(keysDirectory: string, clock: Clock): Promise<SigningKeys> {
    const keys = new SigningKeys(join(keysDirectory, SIGNING_FILE), clock);
    if ((await readKeyFile(keys.#path)) === null) {
      const now = clock.now();
      await createKeyFile(keys.#path, write([await newKey('current', now), await newKey('next', now)]));
    }
    await keys.reload();
    return keys;
  }

  get current(): SigningKey {
    const found = this.#keys.find(({ status }) => status === 'current');
    if (found === undefined) throw new TypeError('the keys were used before they were loaded');
    return found;
  }

  /** With their private parts: for the issuer alone. */
  get all(): readonly SigningKey[] {
    return this.#keys;
  }

  find(kid: string): PublicJwk | null {
    return this.#public.get(kid) ?? null;
  }

  published(): PublishedKey[] {
    return this.#keys.map(({ kid, jwk: { kty, crv, x, y } }) => ({
      kid,
      kty,
      crv,
      x,
      y,
      use: 'sig',
      alg: 'ES256',
    }));
  }

  /** Takes up what another process wrote. True when something changed. */
  async reload(): Promise<boolean> {
    const text = (await readKeyFile(this.#path))?.toString('utf8');
    if (text === undefined) throw new KeyFileError(this.#path, 'is gone; restore it from a backup');
    if (text === this.#text) return false;
    const keys = read(this.#path, text);
    const known = await Promise.all(
      keys.map(async (key) => [key.kid, await checked(this.#path, key)] as const),
    );
    this.#keys = keys;
    this.#public = new Map(known);
    this.#text = text;
    return true;
  }

  /** The next key takes over, a new next one is published, and the old one stays until its passports ran out. */
  rotate(): Promise<{ readonly kid: string; readonly retired: string }> {
    const rotated = this.#writing.then(() => this.#rotate());
    this.#writing = rotated.catch(() => {});
    return rotated;
  }

  /** Takes a key out of the set at once: nothing that it signed is believed any more. Unknown: nothing happens. */
  drop(kid: string): Promise<void> {
    const dropped = this.#writing.then(() => this.#drop(kid));
    this.#writing = dropped.catch(() => {});
    return dropped;
  }

  async #drop(kid: string): Promise<void> {
    await this.reload();
    const key = this.#keys.find((one) => one.kid === kid);
    if (key === undefined) return;
    const now = this.#clock.now();
    const others = this.#keys.filter((one) => one !== key);
    // The next one takes the place of the current one, and there must always be a next one.
    const kept = key.status === 'current' ? others.map((one) => succeed(one, now)) : others;
    const added = key.status === 'retired' ? [] : [await newKey('next', now)];
    await replaceKeyFile(this.#path, write([...kept, ...added]));
    await this.reload();
  }

  async #rotate(): Promise<{ readonly kid: string; readonly retired: string }> {
    await this.reload();
    const now = this.#clock.now();
    const retired = this.current.kid;
    const until = now + LONGEST_LIFETIME_SECONDS * 1000 + GRACE_MS;
    const kept = this.#keys
      .filter((key) => key.until === null || key.until > now)
      .map((key) => succeed(key, until));
    await replaceKeyFile(this.#path, write([...kept, await newKey('next', now)]));
    await this.reload();
    return { kid: this.current.kid, retired };
  }
}

/** What a key becomes when the next one takes over. */
function succeed(key: SigningKey, until: number): SigningKey {
  switch (key.status) {
    case 'current':
      return { ...key, status: 'retired', until };
    case 'next':
      return { ...key, status: 'current' };
    case 'retired':
      return key;
  }
}

function read(path: string, text: string): SigningKey[] {
  try {
    return keyFile.parse(JSON.parse(text)).keys;
  } catch (cause) {
    throw new KeyFileError(path, 'is damaged (cut off or edited); restore it from a backup', { cause });
  }
}

function write(keys: readonly SigningKey[]): string {
  return `${JSON.stringify({ version: 1, keys }, null, 2)}\n`;
}

async function newKey(status: 'current' | 'next', createdAt: number): Promise<SigningKey> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = privateJwk.parse(privateKey.export({ format: 'jwk' }));
  return { kid: await thumbprint(jwk), status, createdAt, until: null, jwk };
}

async function checked(path: string, key: SigningKey): Promise<PublicJwk> {
  const { kty, crv, x, y } = key.jwk;
  const jwk = parsePublicJwk({ kty, crv, x, y, kid: key.kid, alg: 'ES256' });
  if ((await thumbprint(key.jwk)) !== key.kid) {
    throw new KeyFileError(path, `is damaged (the key ${key.kid} is another one); restore it from a backup`);
  }
  return jwk;
}

function thumbprint({ kty, crv, x, y }: PrivateJwk): Promise<string> {
  return jwkThumbprint({ kty, crv, x, y, kid: null, alg: null }, sha256);
}
