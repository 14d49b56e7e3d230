import type { Migration } from './migration.ts';

/** Answers of the admin API that can be asked for again (`Idempotency-Key`). */
export const idempotency: Migration = {
  number: 3,
  name: 'idempotency',
  statements: ({ text, integer, bytes, options }) => [
    `create table idempotency_keys (
      tenant ${text} not null, token_id ${text} not null, key_hash ${text} not null,
      fingerprint ${text} not null, started_at ${integer} not null, expires_at ${integer} not null,
      answer ${bytes},
      primary key (tenant, token_id, key_hash)
    )${options}`,
    `create index idempotency_keys_expiry on idempotency_keys (expires_at)`,
  ],
};
