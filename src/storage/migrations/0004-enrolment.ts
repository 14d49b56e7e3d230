import type { Migration } from './migration.ts';

/** Tokens with which agents register themselves, and those with which they manage their registration. */
export const enrolment: Migration = {
  number: 4,
  name: 'enrolment',
  statements: ({ text, integer, options }) => [
    `create table initial_tokens (
      tenant ${text} not null, id ${text} not null, name ${text} not null, hash ${text} not null,
      owner ${text} not null, scopes ${text} not null,
      max_uses ${integer} not null check (max_uses > 0),
      used ${integer} not null check (used >= 0 and used <= max_uses),
      created_at ${integer} not null, created_by ${text} not null, expires_at ${integer} not null,
      primary key (tenant, id)
    )${options}`,
    `create unique index initial_tokens_hash on initial_tokens (hash)`,
    `create unique index initial_tokens_name on initial_tokens (tenant, name)`,
    `create index initial_tokens_expiry on initial_tokens (expires_at)`,

    `create table registrations (
      tenant ${text} not null, agent_id ${text} not null, token_hash ${text} not null,
      initial_token ${text} not null, created_at ${integer} not null, rotated_at ${integer} not null,
      primary key (tenant, agent_id)
    )${options}`,
  ],
};
