import type { Label } from './label.ts';

/** Where a session first met something of a label. */
export interface LabelSight {
  /** Name of the tool, or of the service. */
  readonly what: string;
  readonly callId: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

const MAX_CHARS = 64;

/**
 * Which labels a session has met: the state of the lethal trifecta. Untrusted text that it has read may steer it, private
 * data that it has read may be carried off, and only then is writing where others read a way out. It never goes back.
 */
export class Flows {
  readonly #met = new Map<Label, LabelSight>();

  meet(labels: Iterable<Label>, { what, callId, at }: LabelSight): void {
    for (const label of labels) {
      if (this.#met.has(label)) continue;
      this.#met.set(label, { what: what.slice(0, MAX_CHARS), callId: callId.slice(0, MAX_CHARS), at });
    }
  }

  /** Takes over what another one has met: what an agent's forgotten sessions knew. */
  take(other: Flows): void {
    for (const [label, sight] of other.#met) this.meet([label], sight);
  }

  first(label: Label): LabelSight | null {
    return this.#met.get(label) ?? null;
  }

  get any(): boolean {
    return this.#met.size > 0;
  }
}
