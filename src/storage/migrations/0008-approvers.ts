import type { Migration } from './migration.ts';

/** A second person for an approval, what it belongs to, and what agents ask for by CIBA. */
export const approvers: Migration = {
  number: 8,
  name: 'approvers',
  statements: ({ text, integer, options }) => [
    `alter table approvals add column approvers_needed ${integer} not null default 1
      check (approvers_needed in (1, 2))`,
    `alter table approvals add column first_by ${text}`,
    `alter table approvals add column first_principal ${text}`,
    `alter table approvals add column first_at ${integer}`,
    // Hop ids of the passport that asked: what ends a hop ends what was approved for it.
    `alter table approvals add column chain ${text} not null default '[]'`,

    `create table backchannel_requests (
      tenant ${text} not null, id_hash ${text} not null, approval_id ${text} not null, agent_id ${text} not null,
      credential ${text} not null, user_id ${text} not null, scope ${text} not null, audience ${text} not null,
      asked ${text} not null, call_digest ${text} not null, sid ${text} not null, notify ${text},
      interval_ms ${integer} not null, polled_at ${integer}, created_at ${integer} not null,
      expires_at ${integer} not null,
      primary key (tenant, id_hash)
    )${options}`,
    `create unique index backchannel_requests_approval on backchannel_requests (tenant, approval_id)`,
    `create index backchannel_requests_expiry on backchannel_requests (expires_at)`,
  ],
};
