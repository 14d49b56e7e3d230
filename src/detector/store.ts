import type { Severity } from '../core/index.ts';

/** A value that nobody has a reason to use. The value itself is kept: it is worth nothing elsewhere. */
export interface DecoyRecord {
  readonly tenant: string;
  readonly id: string;
  /** `credential`: a fake secret; `value`: a fake address, account or document name; `host`: a fake destination. */
  readonly kind: 'credential' | 'value' | 'host';
  readonly name: string;
  readonly value: string;
  /** Session in which it was planted; null: planted for every session. */
  readonly sid: string | null;
  readonly severity: Severity;
  readonly plantedAt: number;
  readonly plantedBy: string;
}

export interface DecoyStore {
  insert(decoy: DecoyRecord): Promise<boolean>;
  all(): Promise<DecoyRecord[]>;
  /** Another text whenever something was planted or removed: whether reading all of them is worth it. */
  mark(): Promise<string>;
  list(tenant: string): Promise<DecoyRecord[]>;
  delete(tenant: string, id: string): Promise<boolean>;
  /** Removes what was planted for one session before that time; decoys for every session stay. */
  deleteOlderThan(at: number): Promise<number>;
}

/** What an agent has done before, kept so that a restart does not make everything new again. */
export interface BaselineStore {
  /** Destinations that the agent has used, with the time of first use (ms). */
  destinations(tenant: string, agentId: string): Promise<ReadonlyMap<string, number>>;
  addDestination(entry: {
    readonly tenant: string;
    readonly agentId: string;
    readonly destination: string;
    readonly at: number;
  }): Promise<void>;
  /** What its active hours looked like, as it was put; null: nothing is known. */
  habits(tenant: string, agentId: string): Promise<string | null>;
  putHabits(entry: {
    readonly tenant: string;
    readonly agentId: string;
    readonly habits: string;
    readonly at: number;
  }): Promise<void>;
}

/** Risk of a session at a moment, so that a restart is not a fresh start. */
export interface RiskRecord {
  readonly tenant: string;
  readonly sid: string;
  readonly score: number;
  readonly findings: number;
  readonly at: number;
}

export interface RiskStore {
  /** Newest first: what a start takes over. */
  since(at: number, limit: number): Promise<RiskRecord[]>;
  put(risk: RiskRecord): Promise<void>;
  deleteOlderThan(at: number): Promise<number>;
}
