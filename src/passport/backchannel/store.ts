import type { JsonObject } from '../../core/index.ts';

/** What an agent asked a person for (OpenID CIBA); the approval says what became of it. */
export interface BackchannelRecord {
  readonly tenant: string;
  /** Keyed hash of the auth_req_id. */
  readonly idHash: string;
  readonly approvalId: string;
  readonly agentId: string;
  /** What the agent authenticated with: no other of its keys gets the passport. */
  readonly credential: string;
  readonly userId: string;
  readonly scope: string;
  readonly audience: string;
  /** Authorization details, lifetime and what else was asked for. */
  readonly asked: JsonObject;
  /** Of the approval. */
  readonly callDigest: string;
  readonly sid: string;
  /** Sealed: the id and the token of a ping; null: the agent polls. */
  readonly notify: string | null;
  /** How long the agent has to wait between two requests. */
  readonly intervalMs: number;
  readonly polledAt: number | null;
  readonly createdAt: number;
  /** When it may be forgotten (ms). */
  readonly expiresAt: number;
}

export interface BackchannelStore {
  insert(record: BackchannelRecord): Promise<void>;
  get(tenant: string, idHash: string): Promise<BackchannelRecord | null>;
  byApproval(tenant: string, approvalId: string): Promise<BackchannelRecord | null>;
  /** How many of the agent's were made after this moment. */
  countSince(tenant: string, agentId: string, since: number): Promise<number>;
  /** Compare-and-set: the agent asked at `now`; false, and a longer interval, when that was too soon. */
  poll(record: BackchannelRecord, now: number, longerMs: number): Promise<boolean>;
  deleteExpired(before: number): Promise<number>;
}
