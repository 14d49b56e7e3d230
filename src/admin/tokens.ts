import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { type AuditEvent, type Clock, isAdminToken, newId, Refusal } from '../core/index.ts';
import type { AdminRole, AdminTokenRecord, AdminTokenStore } from './store.ts';

const TOKEN_BYTES = 32;

/** A fresh admin token: 256 random bits behind a prefix by which secret scanners find it. */
export function generateAdminToken(): string {
  return `sp_admin_${randomBytes(TOKEN_BYTES).toString('base64url')}`;
}

/** What may be known of an admin token: never the token, never its hash. */
export type AdminTokenView = Omit<AdminTokenRecord, 'hash'>;

/** Who makes an admin request; only a check of the token makes one. */
export type { AdminIdentity };

class AdminIdentity {
  readonly #token: AdminTokenView;

  constructor(token: AdminTokenView) {
    this.#token = token;
  }

  get tenant(): string {
    return this.#token.tenant;
  }

  get role(): AdminRole {
    return this.#token.role;
  }

  get tokenId(): string {
    return this.#token.id;
  }

  /** Milliseconds since the epoch. */
  get createdAt(): number {
    return this.#token.createdAt;
  }

  get name(): string {
    return this.#token.name;
  }

  /** How the audit log names him: the id is unique for good, the name is for people. */
  get by(): string {
    return `${this.#token.name} (${this.#token.id})`;
  }
}

export interface AdminTokensOptions {
  readonly store: AdminTokenStore;
  /** Key of the HMAC (keys/admin-pepper.key): a copy of the database alone lets nobody check guesses. */
  readonly pepper: Uint8Array;
  readonly clock: Clock;
  readonly audit: (event: AuditEvent) => Promise<unknown>;
}

/**
 * Admin tokens: 256 random bits each, kept as peppered HMAC-SHA-256. A slow hash would add nothing to a token
 * that nobody can guess, and would let anybody keep the control plane busy.
 */
export class AdminTokens {
  readonly #options: AdminTokensOptions;
  #deleting: Promise<unknown> = Promise.resolve();

  constructor(options: AdminTokensOptions) {
    this.#options = options;
  }

  /**
   * Makes a token and gives it back, once. `token` is given only by who has made it durable elsewhere before.
   * Throws Refusal `conflict` when the name is taken.
   */
  async create(
    wanted: {
      readonly tenant: string;
      readonly name: string;
      readonly role: AdminRole;
      readonly expiresAt: number | null;
    },
    by: string,
    token = generateAdminToken(),
  ): Promise<{ readonly view: AdminTokenView; readonly token: string }> {
    const { store, clock, audit } = this.#options;
    if (!isAdminToken(token)) throw new TypeError('an admin token is made by generateAdminToken');
    const now = clock.now();
    const record = {
      ...wanted,
      id: newId('token', now),
      hash: this.#hash(token),
      createdAt: now,
    };
    const { tenant, name, role, expiresAt } = wanted;
    const taken = new Refusal('conflict', { detail: `An admin token is named ${name} already.` });
    if ((await store.list(tenant)).some((one) => one.name === name)) throw taken;
    // Before the change: what can't be recorded does not happen.
    await audit({
      type: 'admin_token.created',
      tenant,
      at: now,
      data: { id: record.id, by, changes: { name, role, expiresAt } },
    });
    if (!(await store.insert(record))) throw taken;
    return { view: withoutHash(record), token };
  }

  /** Who holds this token; null for everything that is no live token. */
  async identify(token: string): Promise<AdminIdentity | null> {
    if (!isAdminToken(token)) return null;
    const hash = this.#hash(token);
    // The look-up's time can tell an attacker about the hash at most, which says nothing without the pepper.
    const record = await this.#options.store.byHash(hash);
    if (record === null || !timingSafeEqual(Buffer.from(record.hash), Buffer.from(hash))) return null;
    if (record.expiresAt !== null && record.expiresAt <= this.#options.clock.now()) return null;
    return new AdminIdentity(withoutHash(record));
  }

  async list(tenant: string): Promise<AdminTokenView[]> {
    return (await this.#options.store.list(tenant)).map(withoutHash);
  }

  /** Whether somebody can still do everything: a token of an administrator that has not run out. */
  async hasAdministrator(tenant: string): Promise<boolean> {
    const now = this.#options.clock.now();
    return (await this.#options.store.list(tenant)).some((token) => isLiveAdministrator(token, now));
  }

  /** Whether the token is there yet and has not run out: for answers that take longer than a moment. */
  async isLive({ tenant, tokenId }: AdminIdentity): Promise<boolean> {
    const token = (await this.#options.store.list(tenant)).find(({ id }) => id === tokenId);
    return token !== undefined && (token.expiresAt === null || token.expiresAt > this.#options.clock.now());
  }

  /** Throws Refusal `not_found`; `conflict` for the last token that is allowed everything. */
  delete(key: { readonly tenant: string; readonly id: string }, by: string): Promise<void> {
    // One after the other: two administrators who delete each other at the same moment must not both succeed.
    const deleted = this.#deleting.then(() => this.#delete(key, by));
    this.#deleting = deleted.catch(() => {});
    return deleted;
  }

  async #delete(key: { readonly tenant: string; readonly id: string }, by: string): Promise<void> {
    const { store, clock, audit } = this.#options;
    const now = clock.now();
    const tokens = await store.list(key.tenant);
    const token = tokens.find(({ id }) => id === key.id);
    if (token === undefined)
      throw new Refusal('not_found', { detail: 'There is no admin token with this id.' });
    const others = tokens.filter((one) => one.id !== key.id && isLiveAdministrator(one, now));
    if (token.role === 'admin' && others.length === 0) {
      throw new Refusal('conflict', {
        detail: 'This is the last live token of an administrator; create another one first.',
      });
    }
    await audit({
      type: 'admin_token.deleted',
      tenant: key.tenant,
      at: now,
      data: { id: key.id, by, changes: { name: token.name, role: token.role } },
    });
    await store.delete(key.tenant, key.id);
  }

  /** How many tokens there are in all tenants. */
  count(): Promise<number> {
    return this.#options.store.count();
  }

  #hash(token: string): string {
    return createHmac('sha256', this.#options.pepper).update(`admin-token\0${token}`).digest('hex');
  }
}

function isLiveAdministrator({ role, expiresAt }: AdminTokenRecord, now: number): boolean {
  return role === 'admin' && (expiresAt === null || expiresAt > now);
}

function withoutHash({ hash: _, ...view }: AdminTokenRecord): AdminTokenView {
  return view;
}
