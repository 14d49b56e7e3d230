/** From mild to strict; `stricter` relies on it. */
export type Effect = 'allow' | 'hold' | 'deny';

/** Policy's answer for one call. */
export interface Decision {
  readonly effect: Effect;
  /** Ids of the policies that determined it (`file.cedar#id`); empty: no policy allowed the call. */
  readonly policies: readonly string[];
  /** One sentence for people. */
  readonly reason: string;
  /** With `hold`: how many different people have to say yes; absent: one. */
  readonly approvers?: 1 | 2;
  /** Generation of the policy set that decided. */
  readonly generation: number;
}

const ORDER: Readonly<Record<Effect, number>> = { allow: 0, hold: 1, deny: 2 };

export function stricter(one: Effect, other: Effect): Effect {
  return ORDER[one] >= ORDER[other] ? one : other;
}
