import type { Migration } from './migration.ts';

/** Chains of passports, limits on calls, entries of status lists, and two more kinds of revocation. */
export const delegation: Migration = {
  number: 2,
  name: 'delegation',
  statements: ({ text, integer, options }) => [
    `alter table passports add column parent ${text}`,
    `alter table passports add column lineage ${text} not null default '[]'`,
    `alter table passports add column details ${text} not null default '[]'`,
    `alter table passports add column kid ${text}`,
    `alter table passports add column credential ${text}`,
    `alter table passports add column status_index ${integer}`,
    `create index passports_status on passports (tenant, status_index) where status_index is not null`,

    `create table call_counts (
      tenant ${text} not null, hop ${text} not null, detail ${integer} not null,
      used ${integer} not null check (used > 0), expires_at ${integer} not null,
      primary key (tenant, hop, detail)
    )${options}`,
    `create index call_counts_expiry on call_counts (expires_at)`,

    // An entry is given to another passport only when nobody can hold the last list about the one before.
    `create table status_entries (
      tenant ${text} not null, entry ${integer} not null, jti ${text} not null, free_at ${integer} not null,
      primary key (tenant, entry)
    )${options}`,
    `create index status_entries_free on status_entries (free_at)`,

    // SQLite can't change a check, so the table is made anew in both.
    `create table revocations_new (
      tenant ${text} not null, id ${text} not null,
      kind ${text} not null check (kind in
        ('token', 'hop', 'session', 'agent', 'owner', 'user', 'credential', 'key')),
      value ${text} not null, revoked_at ${integer} not null, expires_at ${integer},
      revoked_by ${text} not null, reason ${text},
      primary key (tenant, kind, value)
    )${options}`,
    `insert into revocations_new (tenant, id, kind, value, revoked_at, expires_at, revoked_by, reason)
      select tenant, id, kind, value, revoked_at, expires_at, revoked_by, reason from revocations`,
    `drop table revocations`,
    `alter table revocations_new rename to revocations`,
    `create unique index revocations_id on revocations (tenant, id)`,
    `create index revocations_expiry on revocations (expires_at)`,
  ],
};
