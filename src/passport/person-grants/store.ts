import type { JsonObject } from '../../core/index.ts';

/** Longest time that a setting lets a person give anything for. */
export const LONGEST_GRANT_SECONDS = 90 * 24 * 3600;

/** How a person came to be asked: by a browser that the agent sent, or by a code that they typed (RFC 8628). */
export type GrantOrigin = 'code' | 'device';

/** What a person let an agent do in their name. */
export interface PersonGrantRecord {
  readonly tenant: string;
  readonly id: string;
  readonly userId: string;
  readonly agentId: string;
  /** Who answered for the agent when the person was asked. */
  readonly owner: string;
  readonly origin: GrantOrigin;
  readonly scope: string;
  readonly audience: string;
  /** Authorization details, lifetime and what else was asked for; what the person took off is gone. */
  readonly asked: JsonObject;
  readonly sid: string;
  /** First hop of every passport of this grant: to end it is to revoke that hop. */
  readonly hop: string;
  /** `given`: waits for the agent to fetch it. */
  readonly status: 'given' | 'active' | 'ended';
  /** Keyed hash of the authorization code; null: there is none. */
  readonly codeHash: string | null;
  /** What the code is bound to; null: there is none. */
  readonly code: CodeBinding | null;
  /** Thumbprint of the one key that refresh tokens are good with; null: the client authenticates. */
  readonly boundTo: string | null;
  /** What the agent authenticated with last. */
  readonly credential: string | null;
  /** Keyed hash of the refresh token that is good now; null: there is none. */
  readonly refreshHash: string | null;
  /** How many refresh tokens there were before it. */
  readonly refreshSerial: number;
  /** How long the person let it run from `createdAt` on (ms); 0: one passport. */
  readonly lifetimeMs: number;
  readonly createdAt: number;
  /** When it is over (ms); while it is `given`: until when the agent has to come. */
  readonly expiresAt: number;
  readonly usedAt: number | null;
  readonly endedAt: number | null;
  readonly endedBy: string | null;
  readonly endReason: string | null;
}

export interface CodeBinding {
  readonly redirectUri: string;
  /** S256 (RFC 7636). */
  readonly codeChallenge: string;
  /** RFC 9449 section 10. */
  readonly dpopJkt: string | null;
}

/** Which grants a revocation ends. */
export type GrantsOf =
  | {
      readonly tenant: string;
      readonly kind: 'hop' | 'session' | 'user' | 'agent' | 'owner';
      readonly value: string;
    }
  | {
      readonly tenant: string;
      readonly kind: 'credential';
      readonly agentId: string;
      readonly value: string;
    };

export interface PersonGrantStore {
  insert(grant: PersonGrantRecord): Promise<void>;
  get(tenant: string, id: string): Promise<PersonGrantRecord | null>;
  byCode(tenant: string, codeHash: string): Promise<PersonGrantRecord | null>;
  /** Newest first. `liveAt`: those alone that have not ended or expired then. */
  list(
    tenant: string,
    filter: {
      readonly userId?: string;
      readonly agentId?: string;
      readonly liveAt?: number;
      readonly after: string | null;
      readonly limit: number;
    },
  ): Promise<PersonGrantRecord[]>;
  /** Compare-and-set from `given` to `active`, before it expires: true for exactly one caller. */
  fetch(
    grant: Pick<PersonGrantRecord, 'tenant' | 'id'>,
    to: Pick<PersonGrantRecord, 'boundTo' | 'credential' | 'refreshHash' | 'expiresAt'>,
    now: number,
  ): Promise<boolean>;
  /** Compare-and-set of the refresh token, while it is active: true for exactly one caller. */
  rotate(
    grant: Pick<PersonGrantRecord, 'tenant' | 'id' | 'refreshSerial'>,
    to: Pick<PersonGrantRecord, 'credential' | 'refreshHash'>,
    now: number,
  ): Promise<boolean>;
  /** Ends those that have not ended, and answers them. */
  end(
    which: GrantsOf,
    why: { readonly by: string; readonly reason: string | null },
    now: number,
  ): Promise<PersonGrantRecord[]>;
  deleteExpired(before: number): Promise<number>;
}

/** A program without a browser that waits for a person to type a code (RFC 8628). */
export interface DeviceRequestRecord {
  readonly tenant: string;
  /** Keyed hash of the device code. */
  readonly codeHash: string;
  /** Keyed hash of what the person types. */
  readonly userCodeHash: string;
  readonly agentId: string;
  readonly scope: string;
  readonly audience: string;
  readonly asked: JsonObject;
  readonly status: 'pending' | 'denied' | 'given';
  /** Of what the person gave. */
  readonly grantId: string | null;
  /** How long the agent has to wait between two requests. */
  readonly intervalMs: number;
  readonly polledAt: number | null;
  readonly createdAt: number;
  readonly expiresAt: number;
}

export interface DeviceRequestStore {
  /** False when the user code is taken. */
  insert(request: DeviceRequestRecord): Promise<boolean>;
  get(tenant: string, codeHash: string): Promise<DeviceRequestRecord | null>;
  byUserCode(tenant: string, userCodeHash: string, now: number): Promise<DeviceRequestRecord | null>;
  /** Compare-and-set: true for exactly one answer to a pending request that has not expired. */
  decide(
    request: Pick<DeviceRequestRecord, 'tenant' | 'codeHash'>,
    to: Pick<DeviceRequestRecord, 'status' | 'grantId'>,
    now: number,
  ): Promise<boolean>;
  /** Compare-and-set: the agent asked at `now`; false, and a longer interval, when that was too soon. */
  poll(request: DeviceRequestRecord, now: number, longerMs: number): Promise<boolean>;
  /** How many of the agent's were made after this moment. */
  countSince(tenant: string, agentId: string, since: number): Promise<number>;
  deleteExpired(before: number): Promise<number>;
}
