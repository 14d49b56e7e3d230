import { type AuditEvent, type JsonObject, Refusal } from '../core/index.ts';
import { type ChangeOptions, changeUser } from './change-user.ts';
import type { Passwords } from './passwords.ts';
import { isPlainLine } from './plain-line.ts';
import type { IdentityRecord, PasskeyRecord, PeopleStore, UserRecord } from './store.ts';

const LABEL_CHARS = 60;
const MOST_PASSKEYS = 20;

export interface WaysOptions extends ChangeOptions {
  readonly store: PeopleStore;
  readonly passwords: Passwords;
  readonly audit: (event: AuditEvent) => Promise<unknown>;
  /** Whether people can still sign in through it. */
  readonly isProvider: (issuer: string) => boolean;
}

/** With what somebody can sign in. */
export interface Ways {
  readonly hasPassword: boolean;
  readonly passkeys: readonly PasskeyRecord[];
  readonly identities: readonly IdentityRecord[];
}

/** Users change with what they sign in; the last way stays. Durable and audited when it resolves. */
export class SignInWays {
  readonly #o: WaysOptions;

  constructor(o: WaysOptions) {
    this.#o = o;
  }

  of(user: UserRecord): Promise<Ways> {
    return this.#read(user, this.#o.store);
  }

  /** Throws Refusal: input_invalid (the label), conflict (too many, or it is known). */
  async addPasskey(passkey: PasskeyRecord): Promise<UserRecord> {
    assertLabel(passkey.label);
    const user = await changeUser(this.#o, passkey.userId, async (found, people) => {
      if ((await people.passkeys(found.tenant, found.id)).length >= MOST_PASSKEYS) {
        throw new Refusal('conflict', { detail: `A user has ${MOST_PASSKEYS} passkeys at most.` });
      }
      if (!(await people.insertPasskey(passkey))) {
        throw new Refusal('conflict', { detail: 'This passkey is known already.' });
      }
      return found;
    });
    await this.#record(user, { passkey: 'added', passkeyId: passkey.id, label: passkey.label });
    return user;
  }

  /** Throws Refusal: input_invalid, not_found. */
  async renamePasskey(user: UserRecord, id: string, label: string): Promise<void> {
    assertLabel(label);
    const { store, tenant } = this.#o;
    if (!(await store.renamePasskey({ tenant, id, userId: user.id }, label))) throw noPasskey();
    await this.#record(user, { passkey: 'renamed', passkeyId: id, label });
  }

  /** Throws Refusal: not_found, conflict (the last way). */
  async removePasskey({ id: userId }: UserRecord, id: string): Promise<void> {
    const user = await changeUser(this.#o, userId, async (found, people) => {
      if (!(await people.deletePasskey({ tenant: found.tenant, id, userId }))) throw noPasskey();
      await this.#assertWayIn(found, people);
      return found;
    });
    await this.#record(user, { passkey: 'removed', passkeyId: id });
  }

  /** Signed out everywhere: who knew the old one is out. Throws Refusal('input_invalid') for a bad one. */
  async changePassword({ id, name }: UserRecord, password: string): Promise<UserRecord> {
    const hash = await this.#o.passwords.hash(password, name);
    const user = await changeUser(this.#o, id, async (found, people) => {
      await people.deleteSessions(found.tenant, id);
      return { ...found, password: hash };
    });
    await this.#record(user, { password: '[secret]' });
    return user;
  }

  /** Throws Refusal('conflict') where it is the last way. */
  async removePassword({ id }: UserRecord): Promise<void> {
    const user = await changeUser(this.#o, id, async (found, people) => {
      const without = { ...found, password: null };
      await this.#assertWayIn(without, people);
      return without;
    });
    await this.#record(user, { password: 'removed' });
  }

  async #read({ tenant, id, password }: UserRecord, people: PeopleStore): Promise<Ways> {
    return {
      hasPassword: password !== null,
      passkeys: await people.passkeys(tenant, id),
      identities: (await people.identities(tenant, id)).filter(({ issuer }) => this.#o.isProvider(issuer)),
    };
  }

  async #assertWayIn(user: UserRecord, people: PeopleStore): Promise<void> {
    const { hasPassword, passkeys, identities } = await this.#read(user, people);
    if (hasPassword || passkeys.length > 0 || identities.length > 0) return;
    throw new Refusal('conflict', {
      detail: 'It is the last way in which you can sign in. Add another one before.',
    });
  }

  async #record({ tenant, id, name }: UserRecord, changes: JsonObject): Promise<void> {
    const { audit, clock } = this.#o;
    await audit({ type: 'user.updated', tenant, at: clock.now(), data: { id, by: name, changes } });
  }
}

function assertLabel(label: string): void {
  if (isPlainLine(label, LABEL_CHARS)) return;
  throw new Refusal('input_invalid', { detail: `A name has 1 to ${LABEL_CHARS} visible characters.` });
}

function noPasskey(): Refusal {
  return new Refusal('not_found', { detail: 'You have no such passkey.' });
}
