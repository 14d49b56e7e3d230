import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { Pepper } from '../pepper.ts';
import type { PersonGrantRecord } from './store.ts';

/** Prefix, for secret scanners; grant; how many came before; 256 random bits; our mark. */
const FORM =
  /^(?<body>sprf_(?<id>[0-9a-z]{1,64})\.(?<serial>[0-9a-z]{1,8})\.[A-Za-z0-9_-]{43})\.(?<mark>[A-Za-z0-9_-]{43})$/;
const GRANT = 'grant_';
const RANDOM_BYTES = 32;

/** What a refresh token says, once its mark showed that we made it. */
export interface ShownRefreshToken {
  readonly grantId: string;
  readonly serial: number;
  readonly hash: string;
}

/** Whether a token is of this form: the OAuth library has none such. */
export function isRefreshToken(token: string): boolean {
  return token.startsWith('sprf_');
}

/**
 * Refresh tokens. Of each grant the hash of the last one is kept. The mark tells those that we made before from made-up
 * ones, so that an old one, whenever it comes, is known for what it is, and nobody ends a grant with an invented one.
 */
export class RefreshTokens {
  readonly #pepper: Pepper;

  constructor(pepper: Pepper) {
    this.#pepper = pepper;
  }

  make(
    { id }: Pick<PersonGrantRecord, 'id'>,
    serial: number,
  ): { readonly token: string; readonly hash: string } {
    const random = randomBytes(RANDOM_BYTES).toString('base64url');
    const body = `sprf_${id.slice(GRANT.length)}.${serial.toString(36)}.${random}`;
    const token = `${body}.${this.#mark(body)}`;
    return { token, hash: this.#hash(token) };
  }

  /** Null for one that is none of ours. */
  read(token: string): ShownRefreshToken | null {
    const { body, id, serial, mark } = FORM.exec(token)?.groups ?? {};
    if (body === undefined || mark === undefined || serial === undefined) return null;
    if (!isSame(mark, this.#mark(body))) return null;
    return { grantId: `${GRANT}${id}`, serial: Number.parseInt(serial, 36), hash: this.#hash(token) };
  }

  #mark(body: string): string {
    return this.#pepper.hashToken('refresh-mark', [body]);
  }

  #hash(token: string): string {
    return this.#pepper.hashToken('refresh-token', [token]);
  }
}

/** Whether it is the one that is good now. */
export function isCurrent(grant: PersonGrantRecord, shown: ShownRefreshToken): boolean {
  const { refreshHash, refreshSerial } = grant;
  return refreshHash !== null && shown.serial === refreshSerial && isSame(refreshHash, shown.hash);
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
