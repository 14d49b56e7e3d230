import { Refusal } from '../core/index.ts';
import type { ReplayStore } from './store.ts';

const BUCKET_MS = 10_000;

/**
 * What was seen once, in the memory of the one node that there is. Entries wait in buckets of ten seconds and
 * go by the bucket, so that forgetting costs nothing per entry. After a restart it knows nothing; proofs from
 * before the start are refused for their age instead (rule 11 of docs/guarantees.md).
 */
export class MemoryReplayStore implements ReplayStore {
  readonly #seen = new Map<string, number>();
  readonly #buckets = new Map<number, string[]>();
  readonly #mostEntries: number;
  #sweptBefore = 0;

  constructor(o: { readonly mostEntries?: number } = {}) {
    this.#mostEntries = o.mostEntries ?? 1_000_000;
  }

  async insertIfAbsent(
    entry: { readonly kind: string; readonly key: string; readonly expiresAt: number },
    now: number,
  ): Promise<boolean> {
    this.#sweep(now);
    const name = `${entry.kind}\n${entry.key}`;
    const known = this.#seen.get(name);
    if (known !== undefined && known > now) return false;
    if (this.#seen.size >= this.#mostEntries) {
      // To let one pass unremembered would let it pass twice.
      throw new Refusal('overloaded', { internal: 'the memory of seen proofs is full' });
    }
    this.#seen.set(name, entry.expiresAt);
    const bucket = Math.ceil(entry.expiresAt / BUCKET_MS);
    const names = this.#buckets.get(bucket);
    if (names === undefined) this.#buckets.set(bucket, [name]);
    else names.push(name);
    return true;
  }

  async deleteExpired(before: number): Promise<number> {
    const size = this.#seen.size;
    this.#sweptBefore = 0;
    this.#sweep(before);
    return size - this.#seen.size;
  }

  #sweep(now: number): void {
    const current = Math.floor(now / BUCKET_MS);
    if (current <= this.#sweptBefore) return;
    this.#sweptBefore = current;
    for (const [bucket, names] of this.#buckets) {
      if (bucket > current) continue;
      this.#buckets.delete(bucket);
      for (const name of names) {
        const expiresAt = this.#seen.get(name);
        if (expiresAt !== undefined && expiresAt <= now) this.#seen.delete(name);
      }
    }
  }
}
