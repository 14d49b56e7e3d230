import { type Containment, type Effect, stricter } from '../core/index.ts';

/** From which risk on what is done, beside what the profile does. It can only restrain. */
export interface ResponseRule {
  /** The risk of the call at hand, or of its session with this call. */
  readonly of: 'call' | 'session';
  /** 0 to 1. */
  readonly from: number;
  readonly do: 'throttle' | 'hold' | 'deny' | Containment;
}

/** What the rules come to for one call. */
export interface Responding {
  readonly effect: Effect;
  /** How long a throttled session has to wait; 0: not at all. */
  readonly waitMs: number;
  readonly contain: readonly Containment[];
}

/** Long enough that whatever drives the agent loses its pace, short enough for a false alarm. */
const THROTTLE_MS = 30_000;

export function respond(
  rules: readonly ResponseRule[],
  risk: { readonly call: number; readonly session: number },
): Responding {
  let effect: Effect = 'allow';
  let waitMs = 0;
  const contain: Containment[] = [];
  for (const rule of rules) {
    if (risk[rule.of] < rule.from) continue;
    switch (rule.do) {
      case 'throttle':
        waitMs = THROTTLE_MS;
        break;
      case 'hold':
      case 'deny':
        effect = stricter(effect, rule.do);
        break;
      default:
        // Nobody is contained for a call that is then made.
        effect = 'deny';
        if (!contain.includes(rule.do)) contain.push(rule.do);
    }
  }
  return { effect, waitMs, contain };
}
