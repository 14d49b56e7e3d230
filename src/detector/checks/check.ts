import type { Call, Finding, Subject } from '../../core/index.ts';
import type { GuardScores } from '../../guard/index.ts';
import type { DecoySet } from '../decoys/index.ts';
import type { Habits } from '../habits.ts';
import type { Label } from '../labels/index.ts';
import type { Following } from '../provenance/index.ts';
import type { SessionState } from '../sessions/index.ts';
import type { View } from '../view.ts';

/** Everything that a check may look at. It changes nothing. */
export interface CheckInput {
  readonly subject: Subject;
  readonly call: Call;
  readonly view: View;
  readonly session: Readonly<SessionState>;
  /** What the rules for calls say. */
  readonly ruleFindings: readonly Finding[];
  readonly decoys: DecoySet | null;
  /** Set when the tool itself is a decoy. */
  readonly decoyTool: Finding | null;
  /** What the tool or the place is. */
  readonly labels: ReadonlySet<Label>;
  /** What the call takes up from sentences of results that order something. */
  readonly following: Following;
  /** Whether the call only looks, by the words that say what it does. */
  readonly reads: boolean;
  /** What the guard model says of the call. */
  readonly guard: GuardScores;
  /** How the agent has worked before; null: not known in time. */
  readonly habits: Pick<Habits, 'deviations' | 'strangeHour'> | null;
  /** Destinations that the agent has used before, with the time of first use; null: not known in time. */
  readonly destinations: ReadonlyMap<string, number> | null;
  /** True when this call came faster than the session may call. */
  readonly tooFast: boolean;
  readonly now: number;
}

/** A pure function from what is known to what is noticed. */
export type Check = (input: CheckInput) => readonly Finding[];

export const NO_FINDINGS: readonly Finding[] = [];
