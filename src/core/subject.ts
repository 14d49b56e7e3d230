/** Who acts, for whom, in which lineage: what every step behind the passport check may know of a passport. */
export interface Subject {
  readonly tenant: string;
  /** The agent that acts now (the outermost `act`, or `sub` when the agent acts for itself). */
  readonly agentId: string;
  /** The owner that the agent is registered under. */
  readonly owner: string;
  /** The person for whom the agent acts; null when it acts for itself. */
  readonly user: string | null;
  /** The session: the lineage of passports that renewals, exchanges and restarts keep. */
  readonly sid: string;
  /** Hop ids, root first. A revoked hop revokes everything behind it. */
  readonly chain: readonly string[];
}
