const WINDOW_MS = 60_000;
const FAILURES = 20;
const MAX_ADDRESSES = 10_000;

/**
 * Counts failed authentications by address. It limits what failures cost (a record in the log each), not who
 * may come in: a right token passes always, so that nobody on the same address can lock the administrator out.
 */
export class FailureLimit {
  readonly #windows = new Map<string, { readonly endsAt: number; count: number }>();

  /** Milliseconds to wait when the address has failed too often; null when this failure is still counted. */
  count(address: string, now: number): number | null {
    const window = this.#window(address, now);
    window.count += 1;
    return window.count > FAILURES ? window.endsAt - now : null;
  }

  #window(address: string, now: number): { readonly endsAt: number; count: number } {
    const known = this.#windows.get(address);
    // A window that ends too late was begun before the clock was set back.
    if (known !== undefined && known.endsAt > now && known.endsAt <= now + WINDOW_MS) return known;
    const fresh = { endsAt: now + WINDOW_MS, count: 0 };
    this.#windows.delete(address);
    // An attacker with many addresses (an IPv6 prefix) must not fill the memory: the oldest window goes.
    const oldest = this.#windows.keys().next();
    if (this.#windows.size >= MAX_ADDRESSES && !oldest.done) this.#windows.delete(oldest.value);
    this.#windows.set(address, fresh);
    return fresh;
  }
}
