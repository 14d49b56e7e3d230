import {
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';

const TOKEN_BYTES = 32;

/** Keyed hashes of what browsers hold, so that a copy of the database lets nobody in. */
export class Hashes {
  /** Loaded once: Node takes longer to look at the bytes of a key than to use them. */
  readonly #key: KeyObject;

  constructor(key: Buffer) {
    this.#key = createSecretKey(key);
  }

  of(label: string, ...parts: readonly string[]): string {
    return createHmac('sha256', this.#key)
      .update(JSON.stringify([label, ...parts]))
      .digest('base64url');
  }

  matches(shown: string, label: string, ...parts: readonly string[]): boolean {
    const [a, b] = [Buffer.from(shown), Buffer.from(this.of(label, ...parts))];
    return a.length === b.length && timingSafeEqual(a, b);
  }

  /** A 32-byte key for another use. */
  derive(label: string): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#key, '', label, 32));
  }
}

/** 256 random bits. */
export function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url');
}

export const TOKEN_FORM = /^[A-Za-z0-9_-]{43}$/;
