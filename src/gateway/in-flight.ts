import { LIMITS, Refusal, type Subject } from '../core/index.ts';
import type { VerifiedPassport } from '../passport/index.ts';

/** A call or a tunnel that is going on, and the way to end it. */
export interface Flight {
  readonly kind: 'call' | 'tunnel';
  readonly passport: VerifiedPassport;
  /** Set once a credential was opened for it. */
  credential: string | null;
  /** Ends it now; the reason goes into the record and, where nothing was answered yet, to the agent. */
  readonly cut: (reason: Refusal) => void;
}

const LIMIT_OF = { call: LIMITS.callsInFlightPerAgent, tunnel: LIMITS.tunnelsPerAgent } as const;

/** Everything that is going on, so that a revocation cuts it at once (G6) and one agent can't take it all. */
export class InFlight {
  readonly #flights = new Set<Flight>();
  readonly #perAgent = new Map<string, number>();
  #calls = 0;
  #emptied: (() => void) | null = null;

  /** Throws `throttled` when the agent has too many open. Call `end` with what comes back. */
  begin(kind: Flight['kind'], passport: VerifiedPassport, cut: Flight['cut']): Flight {
    const key = keyOf(kind, passport.subject);
    const open = this.#perAgent.get(key) ?? 0;
    if (open >= LIMIT_OF[kind]) {
      throw new Refusal('throttled', { detail: `The agent has ${open} ${kind}s open.`, retryAfterMs: 1000 });
    }
    this.#perAgent.set(key, open + 1);
    const flight: Flight = { kind, passport, credential: null, cut };
    this.#flights.add(flight);
    if (kind === 'call') this.#calls += 1;
    return flight;
  }

  end(flight: Flight): void {
    if (!this.#flights.delete(flight)) return;
    const key = keyOf(flight.kind, flight.passport.subject);
    const open = (this.#perAgent.get(key) ?? 1) - 1;
    if (open === 0) this.#perAgent.delete(key);
    else this.#perAgent.set(key, open);
    if (flight.kind === 'call') this.#calls -= 1;
    if (this.#calls === 0) this.#emptied?.();
  }

  /** How many were cut. */
  cut(matches: (flight: Flight) => boolean, reason: Refusal): number {
    let count = 0;
    for (const flight of [...this.#flights]) {
      if (!matches(flight)) continue;
      count += 1;
      flight.cut(reason);
    }
    return count;
  }

  /** Resolves when no call is going on, or after `graceMs`. Tunnels stay open between calls: they don't count. */
  async drain(graceMs: number): Promise<void> {
    if (this.#calls === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, graceMs);
      this.#emptied = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#emptied = null;
  }
}

function keyOf(kind: Flight['kind'], { tenant, agentId }: Subject): string {
  return `${kind}\n${tenant}\n${agentId}`;
}
