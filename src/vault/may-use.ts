import { type Origin, Refusal } from '../core/index.ts';
import type { Permit } from '../policy/index.ts';
import type { CredentialRecord } from './store.ts';

/**
 * Whether this version of the credential may be used for this call. Throws `credential_missing`,
 * `credential_revoked` (also for a version that was rotated away: a secret that was replaced must stop at
 * once, as in OpenClaw it did not, GHSA-m8wm-r5vq-qjpg) or `credential_destination`.
 */
export function assertMayUse(
  record: CredentialRecord | null,
  permit: Pick<Permit, 'origin'>,
  credential: { readonly name: string; readonly version: number },
): asserts record is CredentialRecord {
  const { name, version } = credential;
  if (record === null) throw new Refusal('credential_missing', { internal: name });
  if (record.status !== 'active' || record.revokedAt !== null) {
    throw new Refusal('credential_revoked', { internal: name });
  }
  if (record.version !== version) {
    throw new Refusal('credential_revoked', {
      detail: 'The credential was rotated while the call was decided; repeat the call.',
      internal: `${name}: permit for version ${version}, current is ${record.version}`,
      retryAfterMs: 0,
    });
  }
  if (!record.binding.destinations.some((origin) => sameOrigin(origin, permit.origin))) {
    throw new Refusal('credential_destination', { internal: name });
  }
}

function sameOrigin(one: Origin, other: Origin | null): boolean {
  return other !== null && one.scheme === other.scheme && one.host === other.host && one.port === other.port;
}
