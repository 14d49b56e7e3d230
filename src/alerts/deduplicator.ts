import type { AlertEvent } from './raise.ts';
import { severityRank } from './severity.ts';

const DEFAULT_WINDOW_MS = 5 * 60 * 1000;
const DEFAULT_CAPACITY = 10_000;

interface Seen {
  readonly raisedAt: number;
  readonly rank: number;
  repeats: number;
}

/**
 * Keeps an agent that trips over one check again and again from burying its alerts: one alert for each check and
 * session in a window; the ones held back are counted in the next. A worse severity, or another check, is always
 * news. Memory is bounded: the oldest memories go first, which can only give an alert too many.
 */
export class Deduplicator {
  readonly #windowMs: number;
  readonly #capacity: number;
  readonly #seen = new Map<string, Seen>();

  constructor(o: { readonly windowMs?: number; readonly capacity?: number } = {}) {
    this.#windowMs = o.windowMs ?? DEFAULT_WINDOW_MS;
    this.#capacity = o.capacity ?? DEFAULT_CAPACITY;
  }

  /** The alert with its count of repeats, or null when nothing in it is news. */
  admit(alert: AlertEvent): AlertEvent | null {
    const keys = alert.data.findings.map(({ check, severity }) => ({
      key: JSON.stringify([alert.tenant, alert.data.sid ?? alert.data.agentId, check]),
      rank: severityRank(severity),
    }));
    if (keys.every(({ key, rank }) => this.#isRepeat(key, rank, alert.at))) {
      for (const { key } of keys) this.#count(key);
      return null;
    }
    let repeats = 0;
    for (const { key, rank } of keys) {
      repeats = Math.max(repeats, this.#seen.get(key)?.repeats ?? 0);
      this.#remember(key, { raisedAt: alert.at, rank, repeats: 0 });
    }
    return { ...alert, data: { ...alert.data, repeats } };
  }

  #isRepeat(key: string, rank: number, at: number): boolean {
    const seen = this.#seen.get(key);
    return seen !== undefined && rank <= seen.rank && at - seen.raisedAt < this.#windowMs;
  }

  #count(key: string): void {
    const seen = this.#seen.get(key);
    if (seen !== undefined) seen.repeats += 1;
  }

  #remember(key: string, seen: Seen): void {
    this.#seen.delete(key);
    this.#seen.set(key, seen);
    if (this.#seen.size <= this.#capacity) return;
    for (const oldest of this.#seen.keys()) {
      this.#seen.delete(oldest);
      return;
    }
  }
}
