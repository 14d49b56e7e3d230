import { hash } from 'node:crypto';
import type { OAuthFault } from '../oauth-fault.ts';
import type { PassportStores } from '../options.ts';
import type { OidcRow } from '../store.ts';

const MODEL = 'ReplayDetection';

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
 * its passport, and a request that fails later has used nothing up. Throws the fault of the first that was used.
 */
export async function useOnce(
  stores: Pick<PassportStores, 'oidc'>,
  now: number,
  things: readonly OnceOnly[],
): Promise<void> {
  for (const thing of things) {
    if (!(await stores.oidc.insertIfAbsent(rowOf(thing), now))) throw thing.fault();
  }
}

/** Rows and ids are those of the OAuth library, so that what was used at one grant is used at the others. */
export function rowOf(thing: OnceOnly): OidcRow {
  const id = idOf(thing);
  return {
    model: MODEL,
    id,
    payload: { kind: MODEL, jti: id, iss: thing.by },
    grantId: null,
    userCode: null,
    uid: null,
    expiresAt: thing.expiresAt,
    consumedAt: null,
  };
}

/** Whether it was used, by a request that is done. To be asked only where a no decides nothing. */
export async function wasUsed(
  stores: Pick<PassportStores, 'oidc'>,
  now: number,
  thing: OnceOnly,
): Promise<boolean> {
  return (await stores.oidc.find(MODEL, idOf(thing), now)) !== null;
}

function idOf({ by, jti }: OnceOnly): string {
  return hash('sha256', `${by}${jti}`, 'base64url');
}
