import type { Migration } from './migration.ts';

/** Every table of the first release. Each look-up and each `deleteExpired` of a store has its index. */
export const first: Migration = {
  number: 1,
  name: 'first',
  statements: ({ text, integer, real, bytes, options }) => [
    `create table agents (
      tenant ${text} not null, id ${text} not null, name ${text} not null, owner ${text} not null,
      jwks ${text} not null, secrets ${text} not null, scopes ${text} not null, purpose ${text},
      status ${text} not null check (status in ('active', 'quarantined', 'deleted')),
      created_at ${integer} not null, updated_at ${integer} not null, revision ${integer} not null,
      primary key (tenant, id)
    )${options}`,
    // A deleted agent keeps its row, so that its id is never given again; its name is free again.
    `create unique index agents_name on agents (tenant, name) where status <> 'deleted'`,

    `create table passports (
      tenant ${text} not null, jti ${text} not null, agent_id ${text} not null, owner ${text} not null,
      user_id ${text}, sid ${text} not null, chain ${text} not null, scope ${text} not null,
      audience ${text} not null, jkt ${text}, grant_kind ${text} not null,
      issued_at ${integer} not null, expires_at ${integer} not null,
      primary key (tenant, jti)
    )${options}`,
    `create index passports_newest on passports (tenant, issued_at, jti)`,
    `create index passports_agent on passports (tenant, agent_id, issued_at, jti)`,
    `create index passports_expiry on passports (expires_at)`,

    `create table revocations (
      tenant ${text} not null, id ${text} not null,
      kind ${text} not null check (kind in ('token', 'hop', 'session', 'agent', 'owner', 'user')),
      value ${text} not null, revoked_at ${integer} not null, expires_at ${integer},
      revoked_by ${text} not null, reason ${text},
      primary key (tenant, kind, value)
    )${options}`,
    `create unique index revocations_id on revocations (tenant, id)`,
    `create index revocations_expiry on revocations (expires_at)`,

    `create table oidc_rows (
      model ${text} not null, id ${text} not null, payload ${text} not null,
      grant_id ${text}, user_code ${text}, uid ${text}, expires_at ${integer}, consumed_at ${integer},
      primary key (model, id)
    )${options}`,
    `create index oidc_rows_grant on oidc_rows (model, grant_id) where grant_id is not null`,
    `create index oidc_rows_user_code on oidc_rows (model, user_code) where user_code is not null`,
    `create index oidc_rows_uid on oidc_rows (model, uid) where uid is not null`,
    `create index oidc_rows_expiry on oidc_rows (expires_at)`,

    `create table replays (
      kind ${text} not null, key ${text} not null, expires_at ${integer} not null,
      primary key (kind, key)
    )${options}`,
    `create index replays_expiry on replays (expires_at)`,

    `create table credentials (
      tenant ${text} not null, id ${text} not null, name ${text} not null, version ${integer} not null,
      binding ${text} not null, status ${text} not null check (status in ('active', 'superseded', 'revoked')),
      kek_id ${text} not null, wrapped_key ${bytes} not null, sealed ${bytes} not null,
      created_at ${integer} not null, created_by ${text} not null, revoked_at ${integer},
      primary key (tenant, id, version)
    )${options}`,
    // At most one version of a name is in use, whatever two administrators do at once.
    `create unique index credentials_active on credentials (tenant, name) where status = 'active'`,
    `create index credentials_name on credentials (tenant, name, created_at, version)`,

    `create table approvals (
      tenant ${text} not null, id ${text} not null, call_digest ${text} not null, sid ${text} not null,
      agent_id ${text} not null, owner ${text} not null, user_id ${text}, shown ${text} not null,
      status ${text} not null check (status in ('pending', 'approved', 'denied', 'used')),
      live ${integer} not null check (live in (0, 1)),
      requested_at ${integer} not null, expires_at ${integer} not null,
      decided_at ${integer}, decided_by ${text}, reason ${text},
      primary key (tenant, id)
    )${options}`,
    // One live approval a call: two requests at the same time meet here.
    `create unique index approvals_live on approvals (tenant, sid, call_digest) where live = 1`,
    `create index approvals_status on approvals (tenant, status, id)`,
    `create index approvals_expiry on approvals (expires_at)`,

    `create table sinks (
      tenant ${text} not null, id ${text} not null, name ${text} not null, kind ${text} not null,
      options ${text} not null, sealed_secret ${bytes},
      min_severity ${text} not null check (min_severity in ('low', 'medium', 'high', 'critical')),
      status ${text} not null check (status in ('active', 'disabled')), created_at ${integer} not null,
      primary key (tenant, id)
    )${options}`,
    `create unique index sinks_name on sinks (tenant, name)`,

    `create table outbox_cursors (
      node ${text} not null, sequence ${integer} not null,
      primary key (node)
    )${options}`,
    `create table deliveries (
      node ${text} not null, sink_id ${text} not null, sequence ${integer} not null, alert_id ${text} not null,
      attempts ${integer} not null, next_attempt_at ${integer} not null,
      status ${text} not null check (status in ('pending', 'delivered', 'abandoned')), last_error ${text},
      primary key (node, sink_id, sequence)
    )${options}`,
    `create index deliveries_due on deliveries (node, next_attempt_at, sequence) where status = 'pending'`,
    `create index deliveries_finished on deliveries (node, next_attempt_at) where status <> 'pending'`,
    `create index deliveries_newest on deliveries (node, sequence desc, sink_id)`,

    `create table decoys (
      tenant ${text} not null, id ${text} not null,
      kind ${text} not null check (kind in ('credential', 'value', 'host')),
      name ${text} not null, value ${text} not null, value_digest ${text} not null, sid ${text},
      severity ${text} not null check (severity in ('low', 'medium', 'high', 'critical')),
      planted_at ${integer} not null, planted_by ${text} not null,
      primary key (tenant, id)
    )${options}`,
    // A value that was planted twice could not name the session that leaked it.
    `create unique index decoys_value on decoys (tenant, value_digest)`,

    `create table destinations (
      tenant ${text} not null, agent_id ${text} not null, destination ${text} not null,
      first_at ${integer} not null,
      primary key (tenant, agent_id, destination)
    )${options}`,

    `create table risks (
      tenant ${text} not null, sid ${text} not null, score ${real} not null, findings ${integer} not null,
      at ${integer} not null,
      primary key (tenant, sid)
    )${options}`,
    `create index risks_age on risks (at)`,

    `create table services (
      tenant ${text} not null, name ${text} not null, credential ${text},
      encoded_slash ${text} not null check (encoded_slash in ('refuse', 'opaque')),
      allow_private ${integer} not null check (allow_private in (0, 1)), upstream_ca ${text},
      inspect_body ${integer} not null check (inspect_body in (0, 1)),
      primary key (tenant, name)
    )${options}`,
    `create table service_origins (
      tenant ${text} not null, scheme ${text} not null check (scheme in ('http', 'https')),
      host ${text} not null, port ${integer} not null, service ${text} not null, position ${integer} not null,
      primary key (tenant, scheme, host, port),
      foreign key (tenant, service) references services (tenant, name) on delete cascade
    )${options}`,
    `create index service_origins_service on service_origins (tenant, service, position)`,

    `create table admin_tokens (
      tenant ${text} not null, id ${text} not null, name ${text} not null,
      role ${text} not null check (role in ('admin', 'approver', 'auditor')),
      hash ${text} not null, created_at ${integer} not null, expires_at ${integer},
      primary key (tenant, id)
    )${options}`,
    `create unique index admin_tokens_hash on admin_tokens (hash)`,
    `create unique index admin_tokens_name on admin_tokens (tenant, name)`,
  ],
};
