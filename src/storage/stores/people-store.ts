import { z } from 'zod';
import type {
  IdentityRecord,
  PasskeyRecord,
  PeopleStore,
  SignInSessionRecord,
  UserLinkRecord,
  UserRecord,
} from '../../people/index.ts';
import type { Link } from '../link.ts';
import { json, rowReader, strings } from './columns.ts';

const USER = [
  'tenant',
  'id',
  'name',
  'display_name as displayName',
  'password',
  'status',
  'created_at as createdAt',
  'updated_at as updatedAt',
  'revision',
] as const;

const users = rowReader<UserRecord>(
  'users',
  z.strictObject({
    tenant: z.string(),
    id: z.string(),
    name: z.string(),
    displayName: z.string(),
    password: z.string().nullable(),
    status: z.enum(['active', 'disabled']),
    createdAt: z.number(),
    updatedAt: z.number(),
    revision: z.number(),
  }),
);

const links = rowReader<UserLinkRecord>(
  'user_links',
  z.strictObject({
    tenant: z.string(),
    userId: z.string(),
    hash: z.string(),
    createdBy: z.string(),
    createdAt: z.number(),
    expiresAt: z.number(),
  }),
);

const sessions = rowReader<SignInSessionRecord>(
  'user_sessions',
  z.strictObject({
    hash: z.string(),
    tenant: z.string(),
    userId: z.string(),
    method: z.enum(['password', 'passkey', 'upstream', 'upstream-again', 'link']),
    signedInAt: z.number(),
    expiresAt: z.number(),
  }),
);

const PASSKEY = [
  'tenant',
  'id',
  'user_id as userId',
  'public_key as publicKey',
  'counter',
  'transports',
  'label',
  'created_at as createdAt',
  'used_at as usedAt',
] as const;

const passkeys = rowReader<PasskeyRecord>(
  'passkeys',
  z.strictObject({
    tenant: z.string(),
    id: z.string(),
    userId: z.string(),
    publicKey: z.string(),
    counter: z.number(),
    transports: json(strings),
    label: z.string(),
    createdAt: z.number(),
    usedAt: z.number().nullable(),
  }),
);

const IDENTITY = ['tenant', 'issuer', 'subject', 'user_id as userId', 'created_at as createdAt'] as const;

const identities = rowReader<IdentityRecord>(
  'user_identities',
  z.strictObject({
    tenant: z.string(),
    issuer: z.string(),
    subject: z.string(),
    userId: z.string(),
    createdAt: z.number(),
  }),
);

function toUserRow(user: UserRecord) {
  return {
    tenant: user.tenant,
    id: user.id,
    name: user.name,
    display_name: user.displayName,
    password: user.password,
    status: user.status,
    created_at: user.createdAt,
    updated_at: user.updatedAt,
    revision: user.revision,
  };
}

const HANGING = ['user_links', 'user_sessions', 'passkeys', 'user_identities'] as const;

export function peopleStore({ db }: Link): PeopleStore {
  const user = (tenant: string) => db.selectFrom('users').select(USER).where('tenant', '=', tenant);
  const drop = async (table: (typeof HANGING)[number], tenant: string, userId: string) => {
    await db.deleteFrom(table).where('tenant', '=', tenant).where('user_id', '=', userId).execute();
  };
  return {
    async insertUser(record) {
      const result = await db
        .insertInto('users')
        .values(toUserRow(record))
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return result.numInsertedOrUpdatedRows === 1n;
    },
    async updateUser(record) {
      const { tenant, id, ...changed } = toUserRow(record);
      const result = await db
        .updateTable('users')
        .set(changed)
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .where('revision', '=', record.revision - 1)
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    user: async (tenant, id) => users.optional(await user(tenant).where('id', '=', id).executeTakeFirst()),
    userByName: async (tenant, name) =>
      users.optional(await user(tenant).where('name', '=', name).executeTakeFirst()),
    users: async (tenant, { after, limit }) =>
      users.many(
        await user(tenant)
          .where('id', '>', after ?? '')
          .orderBy('id')
          .limit(limit)
          .execute(),
      ),
    async deleteUser(tenant, id) {
      for (const table of HANGING) await drop(table, tenant, id);
      const result = await db
        .deleteFrom('users')
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .executeTakeFirst();
      return result.numDeletedRows === 1n;
    },
    async putLink({ tenant, userId, hash, createdBy, createdAt, expiresAt }) {
      const changed = { hash, created_by: createdBy, created_at: createdAt, expires_at: expiresAt };
      await db
        .insertInto('user_links')
        .values({ tenant, user_id: userId, ...changed })
        .onConflict((conflict) => conflict.columns(['tenant', 'user_id']).doUpdateSet(changed))
        .execute();
    },
    async linkByHash(hash) {
      const query = db
        .selectFrom('user_links')
        .select([
          'tenant',
          'user_id as userId',
          'hash',
          'created_by as createdBy',
          'created_at as createdAt',
          'expires_at as expiresAt',
        ])
        .where('hash', '=', hash);
      return links.optional(await query.executeTakeFirst());
    },
    async takeLink(hash, now) {
      const result = await db
        .deleteFrom('user_links')
        .where('hash', '=', hash)
        .where('expires_at', '>', now)
        .executeTakeFirst();
      return result.numDeletedRows === 1n;
    },
    async insertSession({ hash, tenant, userId, method, signedInAt, expiresAt }) {
      await db
        .insertInto('user_sessions')
        .values({
          hash,
          tenant,
          user_id: userId,
          method,
          signed_in_at: signedInAt,
          expires_at: expiresAt,
        })
        .execute();
    },
    async session(hash) {
      const query = db
        .selectFrom('user_sessions')
        .select([
          'hash',
          'tenant',
          'user_id as userId',
          'method',
          'signed_in_at as signedInAt',
          'expires_at as expiresAt',
        ])
        .where('hash', '=', hash);
      return sessions.optional(await query.executeTakeFirst());
    },
    async deleteSession(hash) {
      await db.deleteFrom('user_sessions').where('hash', '=', hash).execute();
    },
    deleteSessions: (tenant, userId) => drop('user_sessions', tenant, userId),
    async insertPasskey(passkey) {
      const result = await db
        .insertInto('passkeys')
        .values({
          tenant: passkey.tenant,
          id: passkey.id,
          user_id: passkey.userId,
          public_key: passkey.publicKey,
          counter: passkey.counter,
          transports: JSON.stringify(passkey.transports),
          label: passkey.label,
          created_at: passkey.createdAt,
          used_at: passkey.usedAt,
        })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return result.numInsertedOrUpdatedRows === 1n;
    },
    async passkey(tenant, id) {
      const query = db
        .selectFrom('passkeys')
        .select(PASSKEY)
        .where('tenant', '=', tenant)
        .where('id', '=', id);
      return passkeys.optional(await query.executeTakeFirst());
    },
    async passkeys(tenant, userId) {
      const query = db
        .selectFrom('passkeys')
        .select(PASSKEY)
        .where('tenant', '=', tenant)
        .where('user_id', '=', userId)
        .orderBy('created_at');
      return passkeys.many(await query.execute());
    },
    async usePasskey({ tenant, id }, { from, to, now }) {
      const result = await db
        .updateTable('passkeys')
        .set({ counter: to, used_at: now })
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .where('counter', '=', from)
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    async renamePasskey({ tenant, id, userId }, label) {
      const result = await db
        .updateTable('passkeys')
        .set({ label })
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .where('user_id', '=', userId)
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    async deletePasskey({ tenant, id, userId }) {
      const result = await db
        .deleteFrom('passkeys')
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .where('user_id', '=', userId)
        .executeTakeFirst();
      return result.numDeletedRows === 1n;
    },
    deletePasskeys: (tenant, userId) => drop('passkeys', tenant, userId),
    async insertIdentity({ tenant, issuer, subject, userId, createdAt }) {
      const result = await db
        .insertInto('user_identities')
        .values({ tenant, issuer, subject, user_id: userId, created_at: createdAt })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return result.numInsertedOrUpdatedRows === 1n;
    },
    async identity(tenant, issuer, subject) {
      const query = db
        .selectFrom('user_identities')
        .select(IDENTITY)
        .where('tenant', '=', tenant)
        .where('issuer', '=', issuer)
        .where('subject', '=', subject);
      return identities.optional(await query.executeTakeFirst());
    },
    async identities(tenant, userId) {
      const query = db
        .selectFrom('user_identities')
        .select(IDENTITY)
        .where('tenant', '=', tenant)
        .where('user_id', '=', userId);
      return identities.many(await query.execute());
    },
    async deleteIdentity({ tenant, issuer, subject, userId }) {
      const result = await db
        .deleteFrom('user_identities')
        .where('tenant', '=', tenant)
        .where('issuer', '=', issuer)
        .where('subject', '=', subject)
        .where('user_id', '=', userId)
        .executeTakeFirst();
      return result.numDeletedRows === 1n;
    },
    deleteIdentities: (tenant, userId) => drop('user_identities', tenant, userId),
    async deleteExpired(before) {
      const ended = await db.deleteFrom('user_sessions').where('expires_at', '<=', before).executeTakeFirst();
      const unused = await db.deleteFrom('user_links').where('expires_at', '<=', before).executeTakeFirst();
      return Number(ended.numDeletedRows + unused.numDeletedRows);
    },
  };
}
