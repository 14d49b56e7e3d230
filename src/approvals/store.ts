import type { JsonObject } from '../core/index.ts';

export type ApprovalStatus = 'pending' | 'approved' | 'denied' | 'used';

export interface ApprovalRecord {
  readonly tenant: string;
  readonly id: string;
  /** base64url SHA-256 over everything that the approval is bound to (rule 8 of docs/guarantees.md). */
  readonly callDigest: string;
  readonly sid: string;
  readonly agentId: string;
  readonly owner: string;
  readonly user: string | null;
  /** What a person is shown: who asks, for whom, why, what will be sent. */
  readonly shown: JsonObject;
  readonly status: ApprovalStatus;
  readonly requestedAt: number;
  /** After this moment it is worth nothing, whatever its status (ms). */
  readonly expiresAt: number;
  readonly decidedAt: number | null;
  readonly decidedBy: string | null;
  readonly reason: string | null;
  /** Two: the yes of one person opens nothing. */
  readonly approversNeeded: 1 | 2;
  /** Who said yes first, where two are needed. */
  readonly first: FirstApproval | null;
  /** Hop ids of the passport that asked, root first; none: it was asked for without one. */
  readonly chain: readonly string[];
}

export interface FirstApproval {
  /** As records name them. */
  readonly by: string;
  /** What makes them another person than the second one: the id of their token or account. */
  readonly principal: string;
  readonly at: number;
}

export interface ApprovalFilter {
  readonly status?: ApprovalStatus;
  /** In whose name it is asked. */
  readonly user?: string;
  /** Id of the last one seen. */
  readonly after: string | null;
  readonly limit: number;
}

/** What a revocation takes approvals from; `everything`: all of the tenant. */
export interface ApprovalsOf {
  readonly tenant: string;
  readonly kind: 'agent' | 'owner' | 'user' | 'session' | 'hop' | 'everything';
  readonly value: string;
}

export interface ApprovalStore {
  /** Inserts, unless a live (pending, approved or denied; not expired) one with the same tenant, sid and digest
   * exists: then gives that one back. */
  insertOrGet(record: ApprovalRecord, now: number): Promise<ApprovalRecord>;
  get(tenant: string, id: string): Promise<ApprovalRecord | null>;
  /** The live one for this call, if any. */
  findLive(
    key: { readonly tenant: string; readonly sid: string; readonly callDigest: string },
    now: number,
  ): Promise<ApprovalRecord | null>;
  list(tenant: string, filter: ApprovalFilter): Promise<ApprovalRecord[]>;
  /** pending → approved | denied, with a new `expiresAt` when one is given; false when it was not pending or has expired. */
  decide(
    decision: {
      readonly tenant: string;
      readonly id: string;
      readonly status: 'approved' | 'denied';
      readonly by: string;
      readonly reason: string | null;
      readonly expiresAt?: number;
      /** Where two are needed: who must have said yes before. */
      readonly after?: FirstApproval;
    },
    now: number,
  ): Promise<boolean>;
  /** The first yes of two, for exactly one caller; false when there is one, it is decided or has expired. */
  decideFirst(
    decision: { readonly tenant: string; readonly id: string; readonly first: FirstApproval },
    now: number,
  ): Promise<boolean>;
  /** Denies all that are pending or approved and not used; answers them as they are now. */
  end(
    what: ApprovalsOf,
    change: { readonly by: string; readonly reason: string },
    now: number,
  ): Promise<ApprovalRecord[]>;
  /** approved → used, for exactly one caller; false when it was not approved, has expired, or was used. */
  use(
    key: { readonly tenant: string; readonly id: string; readonly callDigest: string },
    now: number,
  ): Promise<boolean>;
  deleteExpired(before: number): Promise<number>;
}
