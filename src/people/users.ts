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
import { type Hashes, newToken, TOKEN_FORM } from './hashes.ts';
import type { Passwords } from './passwords.ts';
import type { PeopleStore, UserRecord } from './store.ts';

const NAME = /^[a-z0-9][a-z0-9._@+-]{0,126}$/;
const DISPLAY_CHARS = 100;
const LINK_HOURS = 24;
const ATTEMPTS = 4;
const LABEL = 'link';

/** A user as administrators see one: never a hash. */
export interface UserView {
  readonly id: string;
  readonly name: string;
  readonly displayName: string;
  readonly status: UserRecord['status'];
  readonly hasPassword: boolean;
  readonly passkeys: number;
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
  add(user: { readonly name: string; readonly displayName: string }, by: string): Promise<WithLink>;
  list(page: { readonly after: string | null; readonly limit: number }): Promise<UserView[]>;
  get(id: string): Promise<UserView | null>;
  /** Signed out everywhere; passports in their name and what they allowed end. */
  disable(id: string, by: string): Promise<UserView>;
  enable(id: string, by: string): Promise<UserView>;
  /** Password, passkeys, other providers and sign-ins are gone; the link is the one way back. */
  reset(id: string, by: string): Promise<WithLink>;
  remove(id: string, by: string): Promise<void>;
}

export interface PeopleStores {
  readonly people: PeopleStore;
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
  /** Ends what agents hold in the user's name; resolves when that is durable. */
  readonly endAccess: (userId: string, by: string, reason: string) => Promise<void>;
}

type Change = (user: UserRecord, store: PeopleStore) => Promise<UserRecord>;

/** Another writer was faster. */
class Overtaken extends Error {}

export class UserRoom implements Users {
  readonly #o: UsersOptions;

  constructor(o: UsersOptions) {
    this.#o = o;
  }

  async add({ name, displayName }: { name: string; displayName: string }, by: string): Promise<WithLink> {
    const { tenant, unitOfWork, clock } = this.#o;
    const errors = [
      ...(NAME.test(name)
        ? []
        : ['name: 1 to 127 lower-case letters, digits, . _ @ + -, beginning with a letter or digit']),
      ...(isPlainLine(displayName) ? [] : [`displayName: 1 to ${DISPLAY_CHARS} visible characters`]),
    ];
    if (errors.length > 0)
      throw new Refusal('input_invalid', { detail: errors.join('; '), extra: { errors } });
    const now = clock.now();
    const user: UserRecord = {
      tenant,
      id: newId('user', now),
      name,
      displayName,
      password: null,
      status: 'active',
      createdAt: now,
      updatedAt: now,
      revision: 1,
    };
    const link = await unitOfWork.run(async ({ people }) => {
      if (!(await people.insertUser(user))) {
        throw new Refusal('conflict', { detail: `There is a user named ${name} already.` });
      }
      return this.#putLink(people, user.id, by);
    });
    await this.#record('user.added', user.id, by, { name, displayName });
    return { user: await this.#view(user), ...link };
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
    const user = await this.#change(id, async (found, people) => {
      await people.deleteSessions(found.tenant, id);
      return { ...found, status: 'disabled' };
    });
    await this.#o.endAccess(id, by, 'the user was disabled');
    await this.#record('user.disabled', id, by, {});
    return this.#view(user);
  }

  async enable(id: string, by: string): Promise<UserView> {
    const user = await this.#change(id, async (found) => ({ ...found, status: 'active' }));
    await this.#record('user.enabled', id, by, {});
    return this.#view(user);
  }

  async reset(id: string, by: string): Promise<WithLink> {
    const { tenant, unitOfWork } = this.#o;
    const user = await this.#change(id, async (found, people) => {
      await people.deleteSessions(tenant, id);
      await people.deletePasskeys(tenant, id);
      await people.deleteIdentities(tenant, id);
      return { ...found, password: null };
    });
    const link = await unitOfWork.run(({ people }) => this.#putLink(people, id, by));
    await this.#record('user.updated', id, by, { signIn: 'reset' });
    return { user: await this.#view(user), ...link };
  }

  async remove(id: string, by: string): Promise<void> {
    const { tenant, unitOfWork } = this.#o;
    const removed = await unitOfWork.run(({ people }) => people.deleteUser(tenant, id));
    if (!removed) throw notFound();
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
    const { hashes, clock, tenant, passwords } = this.#o;
    const hash = await passwords.hash(password, user.name);
    try {
      await this.#change(user.id, async (found, people) => {
        if (!(await people.takeLink(hashes.of(LABEL, token), clock.now()))) throw new Refusal('conflict');
        await people.deleteSessions(tenant, user.id);
        return { ...found, password: hash };
      });
    } catch (fault) {
      if (fault instanceof Refusal && fault.code === 'conflict') return null;
      throw fault;
    }
    await this.#record('user.enrolled', user.id, user.name, { password: '[secret]' });
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

  async #change(id: string, make: Change): Promise<UserRecord> {
    const { tenant, unitOfWork, clock } = this.#o;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const changed = await unitOfWork
        .run(async ({ people }) => {
          const found = await people.user(tenant, id);
          if (found === null) throw notFound();
          const made = await make(found, people);
          const user = { ...made, updatedAt: clock.now(), revision: found.revision + 1 };
          if (!(await people.updateUser(user))) throw new Overtaken();
          return user;
        })
        .catch((fault: unknown) => {
          if (fault instanceof Overtaken) return null;
          throw fault;
        });
      if (changed !== null) return changed;
    }
    throw new Refusal('conflict', { detail: 'The user is being changed by others; try again.' });
  }

  async #view({ id, name, displayName, status, password, createdAt, updatedAt }: UserRecord) {
    const passkeys = (await this.#o.store.passkeys(this.#o.tenant, id)).length;
    return { id, name, displayName, status, hasPassword: password !== null, passkeys, createdAt, updatedAt };
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

/** No control, direction or other invisible characters: it is shown to people who decide by it. */
function isPlainLine(text: string): boolean {
  return (
    text.trim().length > 0 &&
    text.length <= DISPLAY_CHARS &&
    /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]*$/u.test(text)
  );
}

function notFound(): Refusal {
  return new Refusal('not_found', { detail: 'No user has this id.' });
}
