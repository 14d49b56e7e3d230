import type { Migration } from './migration.ts';

/** What people let agents do in their name, and how those agents get there: a browser or a code that is typed. */
export const personGrants: Migration = {
  number: 10,
  name: 'person-grants',
  statements: ({ text, integer, options }) => [
    // Where an agent may be sent back to with an authorization code, and whether it may use the device flow.
    `alter table agents add column redirect_uris ${text} not null default '[]'`,
    `alter table agents add column device ${integer} not null default 0 check (device in (0, 1))`,
    // Said once, when it is registered: an agent that loses its last key must not become one that needs none.
    `alter table agents add column public_client ${integer} not null default 0 check (public_client in (0, 1))`,

    `create table user_grants (
      tenant ${text} not null, id ${text} not null, user_id ${text} not null, agent_id ${text} not null,
      owner ${text} not null, origin ${text} not null, scope ${text} not null, audience ${text} not null,
      asked ${text} not null, sid ${text} not null, hop ${text} not null,
      status ${text} not null check (status in ('given', 'active', 'ended')), code_hash ${text}, code ${text},
      bound_to ${text}, credential ${text}, refresh_hash ${text}, refresh_serial ${integer} not null,
      lifetime_ms ${integer} not null, created_at ${integer} not null, expires_at ${integer} not null,
      used_at ${integer}, ended_at ${integer}, ended_by ${text}, end_reason ${text},
      primary key (tenant, id)
    )${options}`,
    `create unique index user_grants_code on user_grants (tenant, code_hash)`,
    `create index user_grants_user on user_grants (tenant, user_id, id)`,
    `create index user_grants_agent on user_grants (tenant, agent_id, id)`,
    `create index user_grants_owner on user_grants (tenant, owner)`,
    `create index user_grants_sid on user_grants (tenant, sid)`,
    `create index user_grants_hop on user_grants (tenant, hop)`,
    `create index user_grants_expiry on user_grants (expires_at)`,

    `create table device_requests (
      tenant ${text} not null, code_hash ${text} not null, user_code_hash ${text} not null, agent_id ${text} not null,
      scope ${text} not null, audience ${text} not null, asked ${text} not null,
      status ${text} not null check (status in ('pending', 'denied', 'given')), grant_id ${text},
      interval_ms ${integer} not null, polled_at ${integer}, created_at ${integer} not null,
      expires_at ${integer} not null,
      primary key (tenant, code_hash)
    )${options}`,
    `create unique index device_requests_user_code on device_requests (tenant, user_code_hash)`,
    `create index device_requests_agent on device_requests (tenant, agent_id, created_at)`,
    `create index device_requests_expiry on device_requests (expires_at)`,
  ],
};
