/** Tokens that flow in each second, and how many may gather. */
export interface RateLimit {
  readonly perSecond: number;
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  filledAt: number;
}

const ENTRIES = 20_000;

/** Token buckets by name, in bounded memory: the bucket that was used least recently makes room. */
export class RateLimiter {
  readonly #limit: RateLimit;
  readonly #buckets = new Map<string, Bucket>();

  constructor(limit: RateLimit) {
    this.#limit = limit;
  }

  /** Takes `cost` tokens; 0 when there were enough, else the milliseconds until there will be (nothing taken). */
  take(name: string, now: number, cost = 1): number {
    const { perSecond, burst } = this.#limit;
    const bucket = this.#buckets.get(name) ?? { tokens: burst, filledAt: now };
    const gained = (Math.max(0, now - bucket.filledAt) / 1000) * perSecond;
    const tokens = Math.min(burst, bucket.tokens + gained);
    const missing = Math.max(0, cost - tokens);
    this.#buckets.delete(name);
    this.#buckets.set(name, { tokens: missing > 0 ? tokens : tokens - cost, filledAt: now });
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > ENTRIES && oldest !== undefined) this.#buckets.delete(oldest);
    return Math.ceil((missing / perSecond) * 1000);
  }

  /** Gives tokens back that were taken for an attempt that turned out well. */
  giveBack(name: string, cost = 1): void {
    const bucket = this.#buckets.get(name);
    if (bucket !== undefined) bucket.tokens = Math.min(this.#limit.burst, bucket.tokens + cost);
  }

  /** Takes what is there, down to nothing: the price of a failed attempt. */
  charge(name: string, now: number, cost: number): void {
    const wait = this.take(name, now, cost);
    if (wait > 0) this.#buckets.set(name, { tokens: 0, filledAt: now });
  }
}

/** One name for each network that one customer holds: the address, or the /64 prefix of IPv6. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:([0-9.]+)$/i.exec(address);
  if (mapped?.[1] !== undefined) return mapped[1];
  if (!address.includes(':')) return address;
  const [head = '', tail = ''] = address.split('%', 1)[0]?.split('::') ?? [];
  const front = head === '' ? [] : head.split(':');
  const back = tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => '0');
  return `${[...front, ...zeros, ...back].slice(0, 4).join(':')}::/64`;
}
