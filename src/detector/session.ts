import { type Finding, NO_RISK, type SessionRisk, type Subject } from '../core/index.ts';
import { GuardMemory } from './guard-watch.ts';
import { Provenance } from './provenance/index.ts';
import { ProvenanceBudget } from './provenance-budget.ts';
import { type RiskShare, riskAt, share } from './risk.ts';
import { RuleState } from './rules/index.ts';
import { Bucket, type BucketSize, FadingCount } from './session-counts.ts';

/** Sessions in memory; the one that was quiet longest makes room, its risk stays in the store. */
const MAX_SESSIONS = 20_000;

/**
 * What the detector remembers of one session. Every part has its bound; what grows most, the words that it has read,
 * is bounded for all sessions together (see `ProvenanceBudget`).
 */
export interface SessionState {
  readonly tenant: string;
  readonly sid: string;
  /** What each check has said of it. */
  readonly shares: Map<string, RiskShare>;
  findings: number;
  lastFindingAt: number | null;
  readonly bucket: Bucket;
  readonly refusals: FadingCount;
  /** How far it has come in rules that look at several events. */
  readonly rules: RuleState;
  /** Decoys that a result showed it, and where. */
  readonly decoysRead: Map<string, DecoySight>;
  /** What its user asked for, and what results told it. */
  provenance: Provenance;
  /** True when what it read was dropped for want of memory: it must not look cleaner than it was. */
  forgotten: boolean;
  /** What the guard model said of what it read. */
  readonly guard: GuardMemory;
  /** Whose agent it is; null until it has made itself known. */
  owner: string | null;
  /** Id of its agent; null until then, too. */
  agentId: string | null;
  /** Whose side has stated what the user asked for; null: nobody's. */
  instructedBy: string | null;
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
  readonly #budget: ProvenanceBudget;
  /** Told when a session's risk has changed. */
  readonly #onRisk: (state: SessionState) => void;

  constructor(o: {
    readonly size: BucketSize;
    readonly provenanceBytes: number;
    readonly onRisk: (state: SessionState) => void;
  }) {
    this.#size = o.size;
    this.#budget = new ProvenanceBudget(o.provenanceBytes);
    this.#onRisk = o.onRisk;
  }

  get size(): number {
    return this.#states.size;
  }

  get remembered(): number {
    return this.#budget.total;
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
      rules: new RuleState(),
      decoysRead: new Map(),
      provenance: new Provenance(),
      forgotten: false,
      guard: new GuardMemory(),
      owner: null,
      agentId: null,
      instructedBy: null,
      calls: 0,
    };
    this.#states.set(key, state);
    if (this.#states.size > MAX_SESSIONS) this.#dropOldest();
    return state;
  }

  /** The session of an agent. What another owner's side said of it before it came is forgotten. */
  ofAgent(subject: Pick<Subject, 'tenant' | 'sid' | 'owner' | 'agentId'>, now: number): SessionState {
    const state = this.of(subject, now);
    if (state.owner === null) {
      state.owner = subject.owner;
      state.agentId = subject.agentId;
      if (state.instructedBy !== null && state.instructedBy !== subject.owner) {
        state.provenance = new Provenance();
        state.guard.instruct('');
      }
    }
    return state;
  }

  /** Takes the user's word in. False when the session is another owner's agent's. */
  instruct(subject: Pick<Subject, 'tenant' | 'sid' | 'owner'>, text: string, now: number): boolean {
    const state = this.of(subject, now);
    const owner = state.owner ?? state.instructedBy ?? subject.owner;
    if (owner !== subject.owner) return false;
    state.instructedBy = subject.owner;
    state.provenance.instruction(text);
    state.guard.instruct(text);
    this.weigh(state);
    return true;
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

  /** Called after a session has learned something: others may have to forget for it. */
  weigh(state: SessionState): void {
    this.#budget.weigh(state, this.#states.values());
  }

  #dropOldest(): void {
    for (const [key, state] of this.#states) {
      this.#states.delete(key);
      this.#budget.drop(state);
      return;
    }
  }
}

function keyOf(tenant: string, sid: string): string {
  return `${tenant}\n${sid}`;
}
