import { type Finding, NO_RISK, type SessionRisk, type Subject } from '../../core/index.ts';
import { Provenance } from '../provenance/index.ts';
import { riskAt, share } from '../risk.ts';
import type { BucketSize } from '../session-counts.ts';
import { type Kept, type Rung, SessionMemory } from './memory.ts';
import {
  bytesOf,
  forgetDetail,
  freshState,
  INHERITED,
  mergeRemains,
  type Remains,
  type SessionState,
} from './state.ts';

export interface SessionsOptions {
  readonly rate: BucketSize;
  /** What all sessions together may take, bytes. */
  readonly memoryBytes: number;
  /** Told when a session's risk has changed. */
  readonly onRisk: (state: SessionState) => void;
}

type Named = Pick<Subject, 'tenant' | 'sid' | 'agentId'>;

/** What an earlier process knew stands as the share of one check. */
const RESTORED = 'restored';
/** Agents of which something is kept when their sessions are gone; of more, the one that lost first is forgotten. */
const MAX_REMAINS = 50_000;

/**
 * The sessions in memory, within one budget. What makes room is never better off for it: detail goes first and the
 * session says so; of a session that goes whole, its agent keeps the risk, and every session of that agent that is not
 * known begins with it.
 */
export class Sessions {
  readonly #states = new Map<string, SessionState>();
  readonly #options: SessionsOptions;
  readonly #memory: SessionMemory<SessionState>;
  readonly #remains = new Map<string, Remains>();
  #now = 0;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#memory = new SessionMemory({
      budget: options.memoryBytes,
      evict: (state, rung) => this.#evict(state, rung),
    });
  }

  get size(): number {
    return this.#states.size;
  }

  /** What they take together, bytes. */
  get bytes(): number {
    return this.#memory.bytes;
  }

  of(subject: Named, now: number): SessionState {
    const { tenant, sid, agentId } = subject;
    const known = this.#states.get(keyOf(tenant, sid));
    if (known !== undefined) {
      if (known.agentId === '') known.agentId = agentId;
      return known;
    }
    const state = freshState(subject, this.#options.rate, now);
    this.#inherit(state, now);
    this.#states.set(keyOf(tenant, sid), state);
    this.settle(state, now);
    return state;
  }

  /** The session of an agent. What another owner's side said of it before it came is forgotten. */
  ofAgent(subject: Named & Pick<Subject, 'owner'>, now: number): SessionState {
    const state = this.of(subject, now);
    if (state.owner === null) {
      state.owner = subject.owner;
      // Until now it was in the share of whoever spoke of it first.
      state.agentId = subject.agentId;
      if (state.instructedBy !== null && state.instructedBy !== subject.owner) {
        state.provenance = new Provenance();
        state.guard.instruct('');
      }
    }
    return state;
  }

  /** Takes the user's word in. False when the session is another owner's agent's. */
  instruct(subject: Named & Pick<Subject, 'owner'>, text: string, now: number): boolean {
    const state = this.of(subject, now);
    const owner = state.owner ?? state.instructedBy ?? subject.owner;
    if (owner !== subject.owner) return false;
    state.instructedBy = subject.owner;
    state.provenance.instruction(text);
    state.guard.instruct(text);
    this.settle(state, now);
    return true;
  }

  /** To be called when a session has been worked on: counts what it takes now, and makes room where it must. */
  settle(state: SessionState, now: number): void {
    this.#now = now;
    const current = this.#inPlaceOf(state);
    this.#memory.keep(current, keptOf(current));
    this.#memory.fit(current);
  }

  /** A session may have made room while a call of it waited: what was found of it then still counts. */
  #inPlaceOf(state: SessionState): SessionState {
    const key = keyOf(state.tenant, state.sid);
    const current = this.#states.get(key);
    if (current === undefined) this.#states.set(key, state);
    if (current === undefined || current === state) return state;
    for (const [check, known] of state.shares) {
      if ((current.shares.get(check)?.score ?? 0) < known.score) current.shares.set(check, known);
    }
    current.findings = Math.max(current.findings, state.findings);
    current.lastFindingAt = Math.max(current.lastFindingAt ?? 0, state.lastFindingAt ?? 0) || null;
    return current;
  }

  /** Takes over what an earlier process knew. */
  restore(o: {
    readonly tenant: string;
    readonly sid: string;
    readonly score: number;
    readonly findings: number;
    readonly at: number;
  }): void {
    const state = this.of({ ...o, agentId: '' }, o.at);
    state.shares.set(RESTORED, { score: o.score, at: o.at });
    state.findings = o.findings;
    state.lastFindingAt = o.at;
    this.settle(state, o.at);
  }

  /** Risk of a session; of one that is not known, what its agent's forgotten sessions left. */
  riskOf({ tenant, sid, agentId }: Named, now: number): SessionRisk {
    const state = this.#states.get(keyOf(tenant, sid)) ?? this.#likeForgotten({ tenant, sid, agentId }, now);
    if (state === null || state.findings === 0) return NO_RISK;
    const { findings, lastFindingAt } = state;
    return { score: riskAt(state.shares, now), findings, lastFindingAt };
  }

  addRisk(state: SessionState, findings: readonly Finding[], now: number): void {
    if (findings.length === 0) return;
    for (const finding of findings) share(state.shares, finding, now);
    state.findings += findings.length;
    state.lastFindingAt = now;
    this.settle(state, now);
    this.#options.onRisk(state);
  }

  #likeForgotten(named: Named, now: number): SessionState | null {
    if (!this.#remains.has(keyOf(named.tenant, named.agentId))) return null;
    const state = freshState(named, this.#options.rate, now);
    this.#inherit(state, now);
    return state;
  }

  #inherit(state: SessionState, now: number): void {
    const remains = this.#remains.get(keyOf(state.tenant, state.agentId));
    if (remains === undefined) return;
    state.lost = { orders: remains.orders, at: now };
    state.flows.take(remains.flows);
    if (remains.findings === 0) return;
    state.shares.set(INHERITED, { score: remains.score, at: remains.at });
    state.findings = remains.findings;
    state.lastFindingAt = remains.at;
  }

  #evict(state: SessionState, rung: Rung): void {
    if (rung === 'detailed') {
      forgetDetail(state, this.#now);
      this.#memory.keep(state, keptOf(state));
      return;
    }
    this.#memory.remove(state);
    this.#states.delete(keyOf(state.tenant, state.sid));
    const key = keyOf(state.tenant, state.agentId);
    const remains = mergeRemains(this.#remains.get(key), state, this.#now);
    if (remains.findings === 0 && !remains.orders && !remains.flows.any) return;
    this.#remains.delete(key);
    this.#remains.set(key, remains);
    if (this.#remains.size > MAX_REMAINS) this.#dropOldestRemains();
  }

  #dropOldestRemains(): void {
    for (const key of this.#remains.keys()) {
      this.#remains.delete(key);
      return;
    }
  }
}

function keptOf(state: SessionState): Kept {
  return { group: keyOf(state.tenant, state.agentId), bytes: bytesOf(state), rung: rungOf(state) };
}

function rungOf({ provenance, findings, lost }: SessionState): Rung {
  if (provenance.detailBytes > 0) return 'detailed';
  return findings > 0 || lost?.orders === true ? 'hot' : 'cold';
}

function keyOf(tenant: string, name: string): string {
  return `${tenant}\n${name}`;
}
