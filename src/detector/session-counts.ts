/** So many at once, and then so many a second. */
export interface BucketSize {
  readonly burst: number;
  readonly perSecond: number;
}

/** A token bucket. A clock that goes back gives nothing. */
export class Bucket {
  readonly #size: BucketSize;
  #tokens: number;
  #at: number;

  constructor(size: BucketSize, now: number) {
    this.#size = size;
    this.#tokens = size.burst;
    this.#at = now;
  }

  /** How long a call has to wait at `now`, in milliseconds; 0: it may go. */
  waitMs(now: number): number {
    this.#refill(now);
    return this.#tokens >= 1 ? 0 : Math.ceil(((1 - this.#tokens) * 1000) / this.#size.perSecond);
  }

  /** Takes one; only after `waitMs` said 0. */
  take(): void {
    this.#tokens -= 1;
  }

  #refill(now: number): void {
    if (now <= this.#at) return;
    const { burst, perSecond } = this.#size;
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#at) * perSecond) / 1000);
    this.#at = now;
  }
}

/** One less after each so many milliseconds: a call that succeeds in between does not wipe the slate. */
const FADE_MS = 30_000;

/** A count of what happens often in a short time. */
export class FadingCount {
  #count = 0;
  #at = 0;

  add(now: number): void {
    this.#count = this.at(now) + 1;
    this.#at = Math.max(this.#at, now);
  }

  at(now: number): number {
    return Math.max(0, this.#count - Math.max(0, now - this.#at) / FADE_MS);
  }
}

/** Agents whose rate is counted; the one that was quiet longest makes room. */
const MAX_AGENTS = 10_000;
/** An agent may keep up as many calls as so many of its sessions. */
const SESSIONS_AT_ONCE = 4;

/** One bucket for each agent, over all of its sessions. */
export class AgentBuckets {
  readonly #size: BucketSize;
  readonly #buckets = new Map<string, Bucket>();

  constructor({ burst, perSecond }: BucketSize) {
    this.#size = { burst: burst * SESSIONS_AT_ONCE, perSecond: perSecond * SESSIONS_AT_ONCE };
  }

  of(tenant: string, agentId: string, now: number): Bucket {
    const key = `${tenant}\n${agentId}`;
    const bucket = this.#buckets.get(key) ?? new Bucket(this.#size, now);
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > MAX_AGENTS) {
      const { value: oldest } = this.#buckets.keys().next();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return bucket;
  }
}
