import type { Subject } from '../core/index.ts';
import { NO_RISK, type SessionRisk } from '../core/index.ts';
import { combined, decayed } from './risk.ts';

/** Sessions in memory; the one that was quiet longest makes room, its risk stays in the store. */
const MAX_SESSIONS = 20_000;

/** What the detector remembers of one session. Small, and of a fixed size. */
export interface SessionState {
  readonly tenant: string;
  readonly sid: string;
  risk: number;
  findings: number;
  riskAt: number;
  lastFindingAt: number | null;
  /** Calls that may still be made at once, and when that was counted (token bucket). */
  tokens: number;
  tokensAt: number;
  refusalsInRow: number;
  lastRefused: boolean;
  /** Calls inspected in this process. */
  calls: number;
}

export class Sessions {
  readonly #states = new Map<string, SessionState>();
  readonly #burst: number;
  /** Told when a session's risk has changed. */
  readonly #onRisk: (state: SessionState) => void;

  constructor(o: { readonly burst: number; readonly onRisk: (state: SessionState) => void }) {
    this.#burst = o.burst;
    this.#onRisk = o.onRisk;
  }

  get size(): number {
    return this.#states.size;
  }

  of({ tenant, sid }: Pick<Subject, 'tenant' | 'sid'>, now: number): SessionState {
    const key = keyOf(tenant, sid);
    const known = this.#states.get(key);
    if (known !== undefined) {
      this.#states.delete(key);
      this.#states.set(key, known);
      return known;
    }
    const state: SessionState = {
      tenant,
      sid,
      risk: 0,
      findings: 0,
      riskAt: now,
      lastFindingAt: null,
      tokens: this.#burst,
      tokensAt: now,
      refusalsInRow: 0,
      lastRefused: false,
      calls: 0,
    };
    this.#states.set(key, state);
    if (this.#states.size > MAX_SESSIONS) this.#dropOldest();
    return state;
  }

  /** Takes over what an earlier process knew. */
  restore(o: {
    readonly tenant: string;
    readonly sid: string;
    readonly score: number;
    readonly findings: number;
    readonly at: number;
  }): void {
    const state = this.of(o, o.at);
    state.risk = o.score;
    state.findings = o.findings;
    state.riskAt = o.at;
    state.lastFindingAt = o.at;
  }

  riskOf(tenant: string, sid: string, now: number): SessionRisk {
    const state = this.#states.get(keyOf(tenant, sid));
    if (state === undefined || state.findings === 0) return NO_RISK;
    const score = decayed(state.risk, now - state.riskAt);
    return { score, findings: state.findings, lastFindingAt: state.lastFindingAt };
  }

  addRisk(state: SessionState, scores: readonly number[], now: number): void {
    if (scores.length === 0) return;
    state.risk = combined([decayed(state.risk, now - state.riskAt), ...scores]);
    state.riskAt = now;
    state.findings += scores.length;
    state.lastFindingAt = now;
    this.#onRisk(state);
  }

  #dropOldest(): void {
    for (const key of this.#states.keys()) {
      this.#states.delete(key);
      return;
    }
  }
}

function keyOf(tenant: string, sid: string): string {
  return `${tenant}\n${sid}`;
}
