import {
  type AuditEvent,
  type AuditEventType,
  type Clock,
  type JsonObject,
  newId,
  Refusal,
  SecretBytes,
  type UnitOfWork,
} from '../core/index.ts';
import { type Change, changeUser, type PeopleStores, userNotFound } from './change-user.ts';
import { type Hashes, newToken, TOKEN_FORM } from './hashes.ts';
import type { Passwords } from './passwords.ts';
import { isPlainLine } from './plain-line.ts';
import type { PasskeyRecord, PeopleStore, UserRecord } from './store.ts';
import type { Upstreams } from './upstream/upstreams.ts';

const NAME = /^[a-z0-9][a-z0-9._@+-]{0,126}$/;
const DISPLAY_CHARS = 100;
const LINK_HOURS = 24;
const LABEL = 'link';

/** A user as administrators see one: never a hash. */
export interface UserView {
  readonly id: string;
  readonly name: string;
  readonly displayName: string;
  readonly status: UserRecord['status'];
  readonly hasPassword: boolean;
  readonly passkeys: number;
  /** Who they are at OpenID providers. */
  readonly identities: readonly { readonly provider: string | null; readonly subject: string }[];
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** The link is shown this once: who has it chooses how the user signs in. */
export interface WithLink {
  readonly user: UserView;
  readonly link: SecretBytes;
  readonly expiresAt: number;
}

/** People who may sign in. Each change is durable, effective and audited when it resolves. */
export interface Users {
  /** Throws Refusal: input_invalid, conflict (the name is taken). */
  add(
    user: { readonly name: string; readonly displayName: string; readonly upstream?: UpstreamName },
    by: string,
  ): Promise<WithLink>;
  list(page: { readonly after: string | null; readonly limit: number }): Promise<UserView[]>;
  get(id: string): Promise<UserView | null>;
  /** Signed out everywhere; passports in their name and what they allowed end. */
  disable(id: string, by: string): Promise<UserView>;
  enable(id: string, by: string): Promise<UserView>;
  /** Password, passkeys, other providers and sign-ins are gone, and what they allowed ends; the link is the one way back. */
  reset(id: string, by: string): Promise<WithLink>;
  remove(id: string, by: string): Promise<void>;
  /** From now on who the provider calls so signs in as this user. Throws Refusal: input_invalid, not_found, conflict. */
  link(id: string, upstream: UpstreamName, by: string): Promise<UserView>;
  unlink(id: string, upstream: UpstreamName, by: string): Promise<UserView>;
}

/** Somebody as an OpenID provider of the settings names them. */
export interface UpstreamName {
  readonly provider: string;
  readonly subject: string;
}

export interface UsersOptions {
  readonly tenant: string;
  /** Origin of the pages. */
  readonly origin: string;
  readonly store: PeopleStore;
  readonly unitOfWork: UnitOfWork<PeopleStores>;
  readonly hashes: Hashes;
  readonly passwords: Passwords;
  readonly clock: Clock;
  readonly audit: (event: AuditEvent) => Promise<unknown>;
  readonly upstreams: Upstreams;
  /** Ends what agents hold in the user's name; resolves when that is durable. */
  readonly endAccess: (userId: string, by: string, reason: string) => Promise<void>;
}

export class UserRoom implements Users {
  readonly #o: UsersOptions;

  constructor(o: UsersOptions) {
    this.#o = o;
  }

  async add(
    { name, displayName, upstream }: { name: string; displayName: string; upstream?: UpstreamName },
    by: string,
  ): Promise<WithLink> {
    const { tenant, unitOfWork } = this.#o;
    const identity = upstream === undefined ? null : this.#identityOf(upstream);
    const user = this.#draft(name, displayName);
    const link = await unitOfWork.run(async ({ people }) => {
      if (!(await people.insertUser(user))) {
        throw new Refusal('conflict', { detail: `There is a user named ${name} already.` });
      }
      if (identity !== null && !(await people.insertIdentity({ tenant, ...identity, ...made(user) })))
        throw identityTaken();
      return this.#putLink(people, user.id, by);
    });
    const linked = upstream === undefined ? {} : { upstream: { ...upstream } };
    await this.#record('user.added', user.id, by, { name, displayName, ...linked });
    return { user: await this.#view(user), ...link };
  }

  /** Somebody whom a provider vouches for; null when the name or the subject is taken. Throws Refusal. */
  async addFromUpstream(
    o: { name: string; displayName: string; issuer: string; subject: string },
    provider: string,
  ): Promise<UserRecord | null> {
    const { tenant, unitOfWork } = this.#o;
    const { name, displayName, issuer, subject } = o;
    const user = this.#draft(name, isPlainLine(displayName, DISPLAY_CHARS) ? displayName : name);
    const added = await unitOfWork
      .run(async ({ people }) => {
        if (!(await people.insertUser(user))) throw identityTaken();
        if (!(await people.insertIdentity({ tenant, issuer, subject, ...made(user) }))) throw identityTaken();
        return true;
      })
      .catch((fault: unknown) => {
        if (fault instanceof Refusal && fault.code === 'conflict') return false;
        throw fault;
      });
    if (!added) return null;
    const upstream = { provider, subject };
    const changes = { name, displayName: user.displayName, upstream };
    await this.#record('user.added', user.id, `provider ${provider}`, changes);
    return user;
  }

  async link(id: string, upstream: UpstreamName, by: string): Promise<UserView> {
    const identity = this.#identityOf(upstream);
    const user = await changeUser(this.#o, id, async (found, people) => {
      if (!(await people.insertIdentity({ tenant: found.tenant, ...identity, ...made(found) })))
        throw identityTaken();
      return found;
    });
    await this.#record('user.updated', id, by, { linked: { ...upstream } });
    return this.#view(user);
  }

  async unlink(id: string, upstream: UpstreamName, by: string): Promise<UserView> {
    const identity = this.#identityOf(upstream);
    const user = await changeUser(this.#o, id, async (found, people) => {
      if (!(await people.deleteIdentity({ tenant: found.tenant, ...identity, userId: id }))) {
        throw new Refusal('not_found', { detail: 'The user is not linked to this subject.' });
      }
      // Who came in by it is out.
      await people.deleteSessions(found.tenant, id);
      return found;
    });
    await this.#record('user.updated', id, by, { unlinked: { ...upstream } });
    return this.#view(user);
  }

  #identityOf({ provider, subject }: UpstreamName) {
    const found = this.#o.upstreams.byName(provider);
    if (found === null) {
      throw new Refusal('input_invalid', { detail: `people.providers names no provider ${provider}.` });
    }
    return { issuer: found.settings.issuer, subject };
  }

  /** Throws Refusal('input_invalid'). */
  #draft(name: string, displayName: string): UserRecord {
    const errors = [
      ...(NAME.test(name)
        ? []
        : ['name: 1 to 127 lower-case letters, digits, . _ @ + -, beginning with a letter or digit']),
      ...(isPlainLine(displayName, DISPLAY_CHARS)
        ? []
        : [`displayName: 1 to ${DISPLAY_CHARS} visible characters`]),
    ];
    if (errors.length > 0)
      throw new Refusal('input_invalid', { detail: errors.join('; '), extra: { errors } });
    const now = this.#o.clock.now();
    const fresh = { password: null, status: 'active', createdAt: now, updatedAt: now, revision: 1 } as const;
    return { tenant: this.#o.tenant, id: newId('user', now), name, displayName, ...fresh };
  }

  async list(page: { readonly after: string | null; readonly limit: number }): Promise<UserView[]> {
    const found = await this.#o.store.users(this.#o.tenant, page);
    return Promise.all(found.map((user) => this.#view(user)));
  }

  async get(id: string): Promise<UserView | null> {
    const user = await this.#o.store.user(this.#o.tenant, id);
    return user === null ? null : this.#view(user);
  }

  async disable(id: string, by: string): Promise<UserView> {
    const user = await changeUser(this.#o, id, async (found, people) => {
      await people.deleteSessions(found.tenant, id);
      return { ...found, status: 'disabled' };
    });
    await this.#o.endAccess(id, by, 'the user was disabled');
    await this.#record('user.disabled', id, by, {});
    return this.#view(user);
  }

  async enable(id: string, by: string): Promise<UserView> {
    const user = await changeUser(this.#o, id, async (found) => ({ ...found, status: 'active' }));
    await this.#record('user.enabled', id, by, {});
    return this.#view(user);
  }

  async reset(id: string, by: string): Promise<WithLink> {
    const { tenant, unitOfWork } = this.#o;
    const user = await changeUser(this.#o, id, async (found, people) => {
      await people.deleteSessions(tenant, id);
      await people.deletePasskeys(tenant, id);
      await people.deleteIdentities(tenant, id);
      return { ...found, password: null };
    });
    await this.#o.endAccess(id, by, 'the sign-in of the user was reset');
    const link = await unitOfWork.run(({ people }) => this.#putLink(people, id, by));
    await this.#record('user.updated', id, by, { signIn: 'reset' });
    return { user: await this.#view(user), ...link };
  }

  async remove(id: string, by: string): Promise<void> {
    const { tenant, unitOfWork } = this.#o;
    const removed = await unitOfWork.run(({ people }) => people.deleteUser(tenant, id));
    if (!removed) throw userNotFound();
    await this.#o.endAccess(id, by, 'the user was removed');
    await this.#record('user.removed', id, by, {});
  }

  /** The user whose link this is; null for one that is unknown, used or over. */
  async byLink(token: string): Promise<UserRecord | null> {
    if (!TOKEN_FORM.test(token)) return null;
    const { store, hashes, clock, tenant } = this.#o;
    const link = await store.linkByHash(hashes.of(LABEL, token));
    if (link === null || link.tenant !== tenant || link.expiresAt <= clock.now()) return null;
    const user = await store.user(tenant, link.userId);
    return user?.status === 'active' ? user : null;
  }

  /** Uses the link up. Null when another one was faster. Throws Refusal('input_invalid') for a bad password. */
  async enrol(token: string, password: string): Promise<UserRecord | null> {
    const user = await this.byLink(token);
    if (user === null) return null;
    const hash = await this.#o.passwords.hash(password, user.name);
    return this.#enrol(token, user, { password: '[secret]' }, async (found) => ({
      ...found,
      password: hash,
    }));
  }

  /** As `enrol`, with a passkey in place of a password. */
  async enrolPasskey(token: string, passkey: PasskeyRecord): Promise<UserRecord | null> {
    const user = await this.byLink(token);
    if (user?.id !== passkey.userId) return null;
    return this.#enrol(token, user, { passkey: 'added', passkeyId: passkey.id }, async (found, people) => {
      if (!(await people.insertPasskey(passkey))) throw new Refusal('conflict');
      return found;
    });
  }

  async #enrol(token: string, { id, name }: UserRecord, changes: JsonObject, make: Change) {
    const { hashes, clock, tenant } = this.#o;
    const user = await changeUser(this.#o, id, async (found, people) => {
      if (!(await people.takeLink(hashes.of(LABEL, token), clock.now()))) throw new Refusal('conflict');
      await people.deleteSessions(tenant, id);
      return make(found, people);
    }).catch((fault: unknown) => {
      if (fault instanceof Refusal && fault.code === 'conflict') return null;
      throw fault;
    });
    if (user !== null) await this.#record('user.enrolled', id, name, changes);
    return user;
  }

  async #putLink(people: PeopleStore, userId: string, by: string) {
    const { tenant, hashes, clock, origin } = this.#o;
    const token = newToken();
    const now = clock.now();
    const expiresAt = now + LINK_HOURS * 3_600_000;
    await people.putLink({
      tenant,
      userId,
      hash: hashes.of(LABEL, token),
      createdBy: by,
      createdAt: now,
      expiresAt,
    });
    return { link: SecretBytes.fromUtf8(`${origin}/enrol/${token}`), expiresAt };
  }

  async #view({
    id,
    name,
    displayName,
    status,
    password,
    createdAt,
    updatedAt,
  }: UserRecord): Promise<UserView> {
    const { store, tenant, upstreams } = this.#o;
    const found = await store.identities(tenant, id);
    return {
      id,
      name,
      displayName,
      status,
      hasPassword: password !== null,
      passkeys: (await store.passkeys(tenant, id)).length,
      identities: found.map(({ issuer, subject }) => ({
        provider: upstreams.byIssuer(issuer)?.settings.name ?? null,
        subject,
      })),
      createdAt,
      updatedAt,
    };
  }

  async #record(
    type: Extract<
      AuditEventType,
      'user.added' | 'user.updated' | 'user.disabled' | 'user.enabled' | 'user.removed' | 'user.enrolled'
    >,
    id: string,
    by: string,
    changes: JsonObject,
  ): Promise<void> {
    const { tenant, clock, audit } = this.#o;
    await audit({ type, tenant, at: clock.now(), data: { id, by, changes } });
  }
}

function made({ id: userId, updatedAt: createdAt }: UserRecord) {
  return { userId, createdAt };
}

function identityTaken(): Refusal {
  return new Refusal('conflict', { detail: 'Somebody else is linked to this subject, or has this name.' });
}
