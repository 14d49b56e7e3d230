import type { Subject } from '../../core/index.ts';
import { GuardMemory } from '../guard-watch.ts';
import { Flows, type ToolCatalogue } from '../labels/index.ts';
import { Provenance } from '../provenance/index.ts';
import { decayed, type RiskShare, riskAt } from '../risk.ts';
import { RuleState } from '../rules/index.ts';
import { Bucket, type BucketSize, FadingCount } from '../session-counts.ts';

/**
 * What the detector remembers of one session. Everything in it is bounded, but not small: most of it is provenance, up
 * to some megabytes. `SessionMemory` sees to it that all sessions together stay within one budget.
 */
export interface SessionState {
  readonly tenant: string;
  readonly sid: string;
  /** The agent whose share of the memory it takes; empty: not known yet. */
  agentId: string;
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
  /** Labels of what it has met. */
  readonly flows: Flows;
  /** What its tools say of themselves; shared with other sessions. */
  tools: ToolCatalogue | null;
  /** What it has read is no longer known: `orders` when there were sentences that order something. */
  lost: Loss | null;
  /** What the guard model said of what it read. */
  readonly guard: GuardMemory;
  /** Whose agent it is; null until it has made itself known. */
  owner: string | null;
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

/** What is still known of a memory that made room. */
export interface Loss {
  readonly orders: boolean;
  readonly at: number;
}

export function freshState(
  { tenant, sid, agentId }: Pick<Subject, 'tenant' | 'sid'> & { readonly agentId: string },
  rate: BucketSize,
  now: number,
): SessionState {
  return {
    tenant,
    sid,
    agentId,
    shares: new Map(),
    findings: 0,
    lastFindingAt: null,
    bucket: new Bucket(rate, now),
    refusals: new FadingCount(),
    rules: new RuleState(),
    decoysRead: new Map(),
    provenance: new Provenance(),
    flows: new Flows(),
    tools: null,
    lost: null,
    guard: new GuardMemory(),
    owner: null,
    instructedBy: null,
    calls: 0,
  };
}

// Measured as growth of the heap, rounded up (`npm run bench:detector`).
const STATE_BYTES = 2_048;
const SHARE_BYTES = 160;
const SIGHT_BYTES = 256;
const TRACK_BYTES = 1_024;
const ALARM_BYTES = 512;

/** What a session takes in memory, bytes; an estimate from above. */
export function bytesOf({ shares, decoysRead, rules, guard, provenance, tools }: SessionState): number {
  return (
    STATE_BYTES +
    shares.size * SHARE_BYTES +
    decoysRead.size * SIGHT_BYTES +
    rules.size * TRACK_BYTES +
    guard.alarms.size * ALARM_BYTES +
    2 * guard.instruction.length +
    (tools?.bytes ?? 0) +
    provenance.bytes
  );
}

/**
 * Gives up what the session has read, and nothing that speaks against it: risk, findings and the user's word stay, and
 * the session says that it has forgotten.
 */
export function forgetDetail(state: SessionState, now: number): void {
  const { provenance, lost } = state;
  state.lost = { orders: lost?.orders === true || provenance.hasOrders, at: now };
  state.provenance = provenance.withoutResults();
}

/** What an agent's forgotten sessions knew together. It falls upon every session of the agent that is not known. */
export interface Remains {
  score: number;
  at: number;
  findings: number;
  orders: boolean;
  readonly flows: Flows;
}

/** Under this name stands what the forgotten sessions of its agent left to a new one. */
export const INHERITED = 'inherited';

export function mergeRemains(known: Remains | undefined, state: SessionState, now: number): Remains {
  const before = known ?? { score: 0, at: now, findings: 0, orders: false, flows: new Flows() };
  // What a session was born with is in the remains already, and must not add up from session to session.
  const own = new Map([...state.shares].filter(([check]) => check !== INHERITED));
  before.flows.take(state.flows);
  return {
    flows: before.flows,
    score: Math.max(decayed(before.score, now - before.at), riskAt(own, now)),
    at: now,
    findings: Math.max(before.findings, state.findings),
    orders: before.orders || state.lost?.orders === true || state.provenance.hasOrders,
  };
}
