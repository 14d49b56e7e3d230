import type { AuditEventType } from '../core/index.ts';

/** Those who wait for new records. */
export class Followers {
  readonly #all = new Set<Follower>();

  /** `onPassed`: told of records that came while the follower waited and are not of its types. */
  join(types: ReadonlySet<AuditEventType> | null, onPassed: (sequence: number) => void): Follower {
    const follower = new Follower(types, onPassed, () => this.#all.delete(follower));
    this.#all.add(follower);
    return follower;
  }

  /** Costs nothing when nobody follows. */
  tell(events: readonly { readonly type: AuditEventType }[], sequence: number): void {
    for (const follower of this.#all) follower.hear(events, sequence);
  }

  /** No more records will come. */
  end(): void {
    for (const follower of this.#all) follower.end();
  }
}

export class Follower {
  readonly #types: ReadonlySet<AuditEventType> | null;
  readonly #onPassed: (sequence: number) => void;
  readonly #leave: () => void;
  #news = false;
  #ended = false;
  #wake: (() => void) | null = null;

  constructor(
    types: ReadonlySet<AuditEventType> | null,
    onPassed: (sequence: number) => void,
    leave: () => void,
  ) {
    this.#types = types;
    this.#onPassed = onPassed;
    this.#leave = leave;
  }

  /** Whether records of its types came since it last asked for news. */
  get hasNews(): boolean {
    return this.#news;
  }

  hear(events: readonly { readonly type: AuditEventType }[], sequence: number): void {
    const types = this.#types;
    if (types === null || events.some(({ type }) => types.has(type))) {
      this.#news = true;
      this.#wake?.();
    } else if (this.#wake !== null && !this.#news) {
      this.#onPassed(sequence);
    }
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
    const onAbort = () => resolve();
    this.#wake = resolve;
    signal?.addEventListener('abort', onAbort);
    await promise;
    // A signal lives as long as its follower, which waits again and again.
    signal?.removeEventListener('abort', onAbort);
    this.#wake = null;
  }
}
