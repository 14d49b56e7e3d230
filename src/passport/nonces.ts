import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';

const STEP_MS = 60_000;
/** The current step and the one before: a nonce lives for one to two minutes. */
const STEPS = 2;

/**
 * Nonces for DPoP proofs (RFC 9449 section 8), made from the time and a key that the nodes share: nothing is
 * stored, and any node knows what another one gave out.
 */
export class Nonces {
  /** Loaded once: Node takes longer to look at the bytes of a key than to use them. */
  readonly #key: KeyObject;

  constructor(key: Buffer) {
    this.#key = createSecretKey(key);
  }

  /** The nonce to give out at `now` (ms). */
  current(now: number): string {
    return this.#make(Math.floor(now / STEP_MS));
  }

  isCurrent(nonce: string, now: number): boolean {
    const shown = Buffer.from(nonce);
    const step = Math.floor(now / STEP_MS);
    let found = false;
    for (let back = 0; back < STEPS; back += 1) {
      const good = Buffer.from(this.#make(step - back));
      if (good.length === shown.length && timingSafeEqual(good, shown)) found = true;
    }
    return found;
  }

  #make(step: number): string {
    return createHmac('sha256', this.#key).update(String(step)).digest('base64url');
  }
}
