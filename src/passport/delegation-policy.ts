import type { AgentRecord } from './store.ts';

/** One agent is about to act with what another one passed on. */
export interface DelegationRequest {
  readonly tenant: string;
  /** The agent that acts with the subject token. */
  readonly from: Pick<AgentRecord, 'id' | 'name' | 'owner'>;
  readonly to: Pick<AgentRecord, 'id' | 'name' | 'owner'>;
  /** The person at the root of the chain, or null. */
  readonly user: string | null;
  readonly purpose: string | null;
  readonly scopes: readonly string[];
  /** The session that both act in. */
  readonly sid: string;
  /** Delegations in the chain, this one included. */
  readonly depth: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Null: allowed. Else one sentence why not. Answered by policy/. */
export type DelegationPolicy = (request: DelegationRequest) => string | null;
