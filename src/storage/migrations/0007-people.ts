import type { Migration } from './migration.ts';

/** People: who may sign in, and with what. */
export const people: Migration = {
  number: 7,
  name: 'people',
  statements: ({ text, integer, options }) => [
    `create table users (
      tenant ${text} not null, id ${text} not null, name ${text} not null, display_name ${text} not null,
      password ${text}, status ${text} not null check (status in ('active', 'disabled')),
      created_at ${integer} not null, updated_at ${integer} not null, revision ${integer} not null,
      primary key (tenant, id)
    )${options}`,
    `create unique index users_name on users (tenant, name)`,

    // One link for each user: a later one ends the one before.
    `create table user_links (
      tenant ${text} not null, user_id ${text} not null, hash ${text} not null, created_by ${text} not null,
      created_at ${integer} not null, expires_at ${integer} not null,
      primary key (tenant, user_id)
    )${options}`,
    `create unique index user_links_hash on user_links (hash)`,

    `create table user_sessions (
      hash ${text} not null, tenant ${text} not null, user_id ${text} not null, method ${text} not null,
      signed_in_at ${integer} not null, expires_at ${integer} not null,
      primary key (hash)
    )${options}`,
    `create index user_sessions_user on user_sessions (tenant, user_id)`,
    `create index user_sessions_expiry on user_sessions (expires_at)`,

    `create table passkeys (
      tenant ${text} not null, id ${text} not null, user_id ${text} not null, public_key ${text} not null,
      counter ${integer} not null, transports ${text} not null, label ${text} not null,
      created_at ${integer} not null, used_at ${integer},
      primary key (tenant, id)
    )${options}`,
    `create index passkeys_user on passkeys (tenant, user_id)`,

    // Who somebody is at another OpenID provider: by issuer and subject, never by an address.
    `create table user_identities (
      tenant ${text} not null, issuer ${text} not null, subject ${text} not null, user_id ${text} not null,
      created_at ${integer} not null,
      primary key (tenant, issuer, subject)
    )${options}`,
    `create index user_identities_user on user_identities (tenant, user_id)`,
  ],
};
