import type { AgentRecord } from './store.ts';

/** The client as the library wants it. Which way it authenticates depends on what the request brings. */
export function clientMetadata(
  agent: AgentRecord,
  o: { readonly asserted: boolean; readonly boundOnly: boolean; readonly placeholder: string },
) {
  return {
    client_id: agent.id,
    redirect_uris: [],
    dpop_bound_access_tokens: o.boundOnly,
    ...methodOf(agent, o),
  };
}

function methodOf(agent: AgentRecord, o: { readonly asserted: boolean; readonly placeholder: string }) {
  // It has none of the library's grants, and may end what it has (RFC 7009 section 2.1).
  if (agent.publicClient) return { token_endpoint_auth_method: 'none' as const, grant_types: [] };
  return o.asserted || agent.secrets.length === 0 ? byKey(agent) : bySecret(o.placeholder);
}

function byKey(agent: AgentRecord) {
  return {
    token_endpoint_auth_method: 'private_key_jwt' as const,
    jwks: { keys: agent.jwks.map((key) => ({ ...key, kty: String(key.kty) })) },
  };
}

function bySecret(placeholder: string) {
  return { token_endpoint_auth_method: 'client_secret_basic' as const, client_secret: placeholder };
}
