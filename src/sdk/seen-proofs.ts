const MOST = 1_000_000;
const SWEEP_MS = 10_000;

/** Proofs that were used, in the memory of this process, for as long as they would be taken. */
export class SeenProofs {
  readonly #now: () => number;
  readonly #seen = new Map<string, number>();
  #sweptAt = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** True for exactly one caller. Also false when there is no room: what can't be remembered is not taken. */
  async use(key: string, expiresAt: number): Promise<boolean> {
    const now = this.#now();
    if (now - this.#sweptAt > SWEEP_MS) this.#sweep(now);
    const known = this.#seen.get(key);
    if ((known !== undefined && known > now) || this.#seen.size >= MOST) return false;
    this.#seen.set(key, expiresAt);
    return true;
  }

  #sweep(now: number): void {
    this.#sweptAt = now;
    for (const [key, expiresAt] of this.#seen) if (expiresAt <= now) this.#seen.delete(key);
  }
}
