import { type Finding, NO_RISK, type SessionRisk, type Subject } from '../core/index.ts';
import { Provenance } from './provenance/index.ts';
import { type RiskShare, riskAt, share } from './risk.ts';
import { Bucket, type BucketSize, FadingCount } from './session-counts.ts';

/** Sessions in memory; the one that was quiet longest makes room, its risk stays in the store. */
const MAX_SESSIONS = 20_000;

/** What the detector remembers of one session. Small, and of a fixed size. */
export interface SessionState {
  readonly tenant: string;
  readonly sid: string;
  /** What each check has said of it. */
  readonly shares: Map<string, RiskShare>;
  findings: number;
  lastFindingAt: number | null;
  readonly bucket: Bucket;
  readonly refusals: FadingCount;
  /** Decoys that a result showed it, and where. */
  readonly decoysRead: Map<string, DecoySight>;
  /** What its user asked for, and what results told it. */
  readonly provenance: Provenance;
  /** Calls inspected in this process. */
  calls: number;
}

/** A session has read a decoy: no harm yet, but the place where a later leak began. */
export interface DecoySight {
  readonly tool: string;
  readonly at: number;
}

/** What an earlier process knew stands as the share of one check. */
const RESTORED = 'restored';

export class Sessions {
  readonly #states = new Map<string, SessionState>();
  readonly #size: BucketSize;
  /** Told when a session's risk has changed. */
  readonly #onRisk: (state: SessionState) => void;

  constructor(o: { readonly size: BucketSize; readonly onRisk: (state: SessionState) => void }) {
    this.#size = o.size;
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
      shares: new Map(),
      findings: 0,
      lastFindingAt: null,
      bucket: new Bucket(this.#size, now),
      refusals: new FadingCount(),
      decoysRead: new Map(),
      provenance: new Provenance(),
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
    state.shares.set(RESTORED, { score: o.score, at: o.at });
    state.findings = o.findings;
    state.lastFindingAt = o.at;
  }

  riskOf(tenant: string, sid: string, now: number): SessionRisk {
    const state = this.#states.get(keyOf(tenant, sid));
    if (state === undefined || state.findings === 0) return NO_RISK;
    const { findings, lastFindingAt } = state;
    return { score: riskAt(state.shares, now), findings, lastFindingAt };
  }

  addRisk(state: SessionState, findings: readonly Finding[], now: number): void {
    if (findings.length === 0) return;
    for (const finding of findings) share(state.shares, finding, now);
    state.findings += findings.length;
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
