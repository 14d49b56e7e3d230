export type AdminRole = 'admin' | 'approver' | 'auditor';

export interface AdminTokenRecord {
  readonly tenant: string;
  readonly id: string;
  readonly name: string;
  readonly role: AdminRole;
  /** Peppered HMAC-SHA-256 of the token, hex. */
  readonly hash: string;
  readonly createdAt: number;
  readonly expiresAt: number | null;
}

/** One use of an `Idempotency-Key` by the holder of one admin token. */
export interface IdempotencyRecord {
  readonly tenant: string;
  readonly tokenId: string;
  /** Hex SHA-256 of the key. */
  readonly keyHash: string;
  /** Peppered HMAC-SHA-256 of method, target and body, hex. */
  readonly fingerprint: string;
  readonly startedAt: number;
  readonly expiresAt: number;
  /** The sealed answer; null while the request is on its way, or after its process died. */
  readonly answer: Uint8Array | null;
}

type IdempotencyPlace = Pick<IdempotencyRecord, 'tenant' | 'tokenId' | 'keyHash'>;

export interface IdempotencyStore {
  /** Null when the key is now this request's; else the record that holds it. An expired one makes room. */
  begin(record: IdempotencyRecord, now: number): Promise<IdempotencyRecord | null>;
  finish(place: IdempotencyPlace, answer: Uint8Array): Promise<void>;
  /** Gives a key free that has no answer yet. */
  release(place: IdempotencyPlace): Promise<void>;
  deleteExpired(before: number): Promise<number>;
}

export interface AdminTokenStore {
  insert(token: AdminTokenRecord): Promise<boolean>;
  byHash(hash: string): Promise<AdminTokenRecord | null>;
  list(tenant: string): Promise<AdminTokenRecord[]>;
  delete(tenant: string, id: string): Promise<boolean>;
  count(): Promise<number>;
}
