export type Severity = 'low' | 'medium' | 'high' | 'critical';

/** What a check noticed. Evidence is scrubbed text: never a secret value, never a decoy's whole value. */
export interface Finding {
  /** Stable id of the check or rule (`decoy.used`, `rate.burst`, `rule.<id>`). */
  readonly check: string;
  readonly title: string;
  readonly severity: Severity;
  /** 0..1: how sure the check is that the agent is compromised. */
  readonly score: number;
  readonly evidence: string;
  /** References such as `OWASP-ASI:ASI03` or `ATLAS:AML.T0057`. */
  readonly references: readonly string[];
  /** Set by decoy checks: which decoy, in which session and when it was planted. */
  readonly decoy?: { readonly id: string; readonly sid: string | null; readonly plantedAt: number };
}
