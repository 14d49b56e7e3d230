import type { JsonObject } from '../../core/index.ts';
import { jwkThumbprint, ProofFault, type PublicJwk, parsePublicJwk } from '../../proof/index.ts';
import { sha256 } from '../crypto.ts';
import type { AgentRecord } from '../store.ts';
import type { RatchetUse } from './ratchet.ts';

/**
 * What the assertion of an agent whose keys give way says of them: `kid` names the registered key, the header's `jwk`
 * is the key that signs (absent: the registered one), and the claim `next_jwk` the one that signs next. Throws
 * ProofFault.
 */
export async function readRatchetUse(
  agent: AgentRecord,
  kid: string,
  assertion: { readonly header: JsonObject; readonly claims: JsonObject },
): Promise<{ readonly key: PublicJwk; readonly use: RatchetUse }> {
  const registered = parsePublicJwk(agent.jwks.find((jwk) => jwk.kid === kid));
  const key = assertion.header.jwk === undefined ? registered : parsePublicJwk(assertion.header.jwk);
  const next = parsePublicJwk(assertion.claims.next_jwk);
  const [root, signed, following] = await Promise.all(
    [registered, key, next].map((one) => jwkThumbprint(one, sha256)),
  );
  if (root === undefined || signed === undefined || following === undefined || signed === following) {
    throw new ProofFault('key', 'The next key must be another one.');
  }
  return {
    key,
    use: { line: { tenant: agent.tenant, agentId: agent.id, kid }, root, signed, next: following },
  };
}
