import type { AuditEventType } from '../core/index.ts';

/** A follower that looks for rare types is still woken after so many records, so that it can note how far it is. */
const AT_LEAST_EVERY = 4096;

/** Those who wait for new records. */
export class Followers {
  readonly #all = new Set<Follower>();

  join(types: ReadonlySet<AuditEventType> | null): Follower {
    const follower = new Follower(types, () => this.#all.delete(follower));
    this.#all.add(follower);
    return follower;
  }

  /** Costs nothing when nobody follows. */
  tell(events: readonly { readonly type: AuditEventType }[]): void {
    for (const follower of this.#all) follower.hear(events);
  }

  /** No more records will come. */
  end(): void {
    for (const follower of this.#all) follower.end();
  }
}

export class Follower {
  readonly #types: ReadonlySet<AuditEventType> | null;
  readonly #leave: () => void;
  #news = false;
  #ended = false;
  #unheard = 0;
  #wake: (() => void) | null = null;

  constructor(types: ReadonlySet<AuditEventType> | null, leave: () => void) {
    this.#types = types;
    this.#leave = leave;
  }

  hear(events: readonly { readonly type: AuditEventType }[]): void {
    this.#unheard += events.length;
    const types = this.#types;
    if (types !== null && this.#unheard < AT_LEAST_EVERY && !events.some(({ type }) => types.has(type)))
      return;
    this.#unheard = 0;
    this.#news = true;
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** True when there may be new records; false when there will be none, or `signal` was aborted. */
  async news(signal: AbortSignal | undefined): Promise<boolean> {
    if (!this.#news && !this.#ended && signal?.aborted !== true) await this.#wait(signal);
    const news = this.#news && signal?.aborted !== true;
    this.#news = false;
    return news;
  }

  leave(): void {
    this.#leave();
  }

  async #wait(signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    signal?.addEventListener('abort', () => resolve(), { once: true });
    await promise;
    this.#wake = null;
  }
}
