import { createHash } from 'node:crypto';
import type { OAuthFault } from '../oauth-fault.ts';
import type { PassportStores } from '../options.ts';

/** Something that may be used once: a client assertion, a proof. */
export interface OnceOnly {
  /** Who made it: a jti is unique for its maker alone. */
  readonly by: string;
  readonly jti: string;
  /** When it is refused for its age by every endpoint (ms). */
  readonly expiresAt: number;
  readonly fault: () => OAuthFault;
}

/**
 * Marks all of them as used, in the transaction that issues: of twenty requests with the same proof one gets
 * its passport, and a request that fails later has used nothing up. Rows and ids are those of the OAuth library,
 * so that what was used at one grant is used at the others.
 */
export async function useOnce(
  stores: PassportStores,
  now: number,
  things: readonly OnceOnly[],
): Promise<void> {
  for (const { by, jti, expiresAt, fault } of things) {
    const id = createHash('sha256').update(`${by}${jti}`).digest('base64url');
    const row = {
      model: 'ReplayDetection',
      id,
      payload: { kind: 'ReplayDetection', jti: id, iss: by },
      grantId: null,
      userCode: null,
      uid: null,
      expiresAt,
      consumedAt: null,
    };
    if (!(await stores.oidc.insertIfAbsent(row, now))) throw fault();
  }
}
