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

export interface AdminTokenStore {
  insert(token: AdminTokenRecord): Promise<boolean>;
  byHash(hash: string): Promise<AdminTokenRecord | null>;
  list(tenant: string): Promise<AdminTokenRecord[]>;
  delete(tenant: string, id: string): Promise<boolean>;
  count(): Promise<number>;
}
