/**
 * The tables as Kysely sees them; docs/storage.md tells what each one is for. Times are milliseconds since the
 * epoch. `Json` columns hold JSON text, which the stores parse strictly on the way out.
 */
type Json = string;

export interface Schema {
  agents: {
    tenant: string;
    id: string;
    name: string;
    owner: string;
    jwks: Json;
    secrets: Json;
    certificates: Json;
    ratchet: number;
    scopes: Json;
    redirect_uris: Json;
    device: number;
    public_client: number;
    purpose: string | null;
    status: string;
    created_at: number;
    updated_at: number;
    revision: number;
  };
  passports: {
    tenant: string;
    jti: string;
    agent_id: string;
    owner: string;
    user_id: string | null;
    sid: string;
    chain: Json;
    scope: string;
    audience: string;
    jkt: string | null;
    x5t: string | null;
    grant_kind: string;
    issued_at: number;
    expires_at: number;
    /** jti of the passport that it was exchanged from. */
    parent: string | null;
    lineage: Json;
    details: Json;
    kid: string | null;
    credential: string | null;
    status_index: number | null;
  };
  call_counts: { tenant: string; hop: string; detail: number; used: number; expires_at: number };
  status_entries: { tenant: string; entry: number; jti: string; free_at: number };
  revocations: {
    tenant: string;
    id: string;
    kind: string;
    value: string;
    revoked_at: number;
    expires_at: number | null;
    revoked_by: string;
    reason: string | null;
  };
  oidc_rows: {
    model: string;
    id: string;
    payload: Json;
    grant_id: string | null;
    user_code: string | null;
    uid: string | null;
    expires_at: number | null;
    consumed_at: number | null;
  };
  replays: { kind: string; key: string; expires_at: number };
  credentials: {
    tenant: string;
    id: string;
    name: string;
    version: number;
    binding: Json;
    status: string;
    kek_id: string;
    wrapped_key: Uint8Array;
    sealed: Uint8Array;
    created_at: number;
    created_by: string;
    revoked_at: number | null;
  };
  approvals: {
    tenant: string;
    id: string;
    call_digest: string;
    sid: string;
    agent_id: string;
    owner: string;
    user_id: string | null;
    shown: Json;
    status: string;
    /** 1 for the one approval of a call that may still be decided or used, else 0. */
    live: number;
    requested_at: number;
    expires_at: number;
    decided_at: number | null;
    decided_by: string | null;
    reason: string | null;
    approvers_needed: number;
    first_by: string | null;
    first_principal: string | null;
    first_at: number | null;
    chain: Json;
  };
  backchannel_requests: {
    tenant: string;
    /** Keyed hash of the auth_req_id. */
    id_hash: string;
    approval_id: string;
    agent_id: string;
    credential: string;
    user_id: string;
    scope: string;
    audience: string;
    asked: Json;
    call_digest: string;
    sid: string;
    /** Sealed: what a ping needs. */
    notify: string | null;
    interval_ms: number;
    polled_at: number | null;
    created_at: number;
    expires_at: number;
  };
  sinks: {
    tenant: string;
    id: string;
    name: string;
    kind: string;
    options: Json;
    sealed_secret: Uint8Array | null;
    min_severity: string;
    status: string;
    created_at: number;
  };
  outbox_cursors: { node: string; sequence: number };
  deliveries: {
    node: string;
    sink_id: string;
    sequence: number;
    alert_id: string;
    attempts: number;
    next_attempt_at: number;
    status: string;
    last_error: string | null;
  };
  decoys: {
    tenant: string;
    id: string;
    kind: string;
    name: string;
    value: string;
    /** Hex SHA-256 of `value`: what makes a value unique however long it is. */
    value_digest: string;
    sid: string | null;
    severity: string;
    planted_at: number;
    planted_by: string;
  };
  destinations: { tenant: string; agent_id: string; destination: string; first_at: number };
  /** `habits` is JSON: see detector/habits.ts. */
  habits: { tenant: string; agent_id: string; habits: string; at: number };
  risks: { tenant: string; sid: string; score: number; findings: number; at: number };
  services: {
    tenant: string;
    name: string;
    credential: string | null;
    encoded_slash: string;
    allow_private: number;
    upstream_ca: string | null;
    inspect_body: number;
  };
  service_origins: {
    tenant: string;
    scheme: string;
    host: string;
    port: number;
    service: string;
    /** Order in the service; 0 is where reverse mode goes. */
    position: number;
  };
  admin_tokens: {
    tenant: string;
    id: string;
    name: string;
    role: string;
    hash: string;
    created_at: number;
    expires_at: number | null;
  };
  idempotency_keys: {
    tenant: string;
    token_id: string;
    key_hash: string;
    fingerprint: string;
    started_at: number;
    expires_at: number;
    answer: Uint8Array | null;
  };
  initial_tokens: {
    tenant: string;
    id: string;
    name: string;
    hash: string;
    owner: string;
    scopes: Json;
    max_uses: number;
    used: number;
    created_at: number;
    created_by: string;
    expires_at: number;
  };
  registrations: {
    tenant: string;
    agent_id: string;
    token_hash: string;
    initial_token: string;
    created_at: number;
    rotated_at: number;
  };
  ratchets: {
    tenant: string;
    agent_id: string;
    kid: string;
    step: number;
    thumbprint: string;
    previous: string;
  };
  ratchet_keys: { tenant: string; agent_id: string; kid: string; thumbprint: string; step: number };
  users: {
    tenant: string;
    id: string;
    name: string;
    display_name: string;
    password: string | null;
    status: string;
    created_at: number;
    updated_at: number;
    revision: number;
  };
  user_links: {
    tenant: string;
    user_id: string;
    hash: string;
    created_by: string;
    created_at: number;
    expires_at: number;
  };
  user_sessions: {
    hash: string;
    tenant: string;
    user_id: string;
    method: string;
    signed_in_at: number;
    expires_at: number;
  };
  passkeys: {
    tenant: string;
    id: string;
    user_id: string;
    public_key: string;
    counter: number;
    transports: Json;
    label: string;
    created_at: number;
    used_at: number | null;
  };
  user_identities: {
    tenant: string;
    issuer: string;
    subject: string;
    user_id: string;
    created_at: number;
  };
  user_grants: {
    tenant: string;
    id: string;
    user_id: string;
    agent_id: string;
    owner: string;
    origin: string;
    scope: string;
    audience: string;
    asked: Json;
    sid: string;
    hop: string;
    status: string;
    /** Keyed hash of the authorization code. */
    code_hash: string | null;
    code: Json | null;
    bound_to: string | null;
    credential: string | null;
    /** Keyed hash of the refresh token that is good now. */
    refresh_hash: string | null;
    refresh_serial: number;
    lifetime_ms: number;
    created_at: number;
    expires_at: number;
    used_at: number | null;
    ended_at: number | null;
    ended_by: string | null;
    end_reason: string | null;
  };
  device_requests: {
    tenant: string;
    /** Keyed hash of the device code. */
    code_hash: string;
    /** Keyed hash of what the person types. */
    user_code_hash: string;
    agent_id: string;
    scope: string;
    audience: string;
    asked: Json;
    status: string;
    grant_id: string | null;
    interval_ms: number;
    polled_at: number | null;
    created_at: number;
    expires_at: number;
  };
  sallyport_migrations: { number: number; name: string; checksum: string; applied_at: number };
}
