import type { Count, EventKind, Sequence } from './rule.ts';

/** One event that a condition over several events has seen. */
export interface Seen {
  readonly at: number;
  /** Number of calls in the session when it came. */
  readonly calls: number;
  readonly on: EventKind;
  readonly callId: string;
  readonly what: string;
}

/** Different conditions over several events that one session keeps track of; the one quiet longest makes room. */
const MAX_TRACKS = 64;

/**
 * What the rules remember of one session. Bounded: per condition at most as many events as it names (a sequence: one
 * for each step, a count: as many as it counts), and at most 64 conditions.
 */
export class RuleState {
  readonly #tracks = new Map<string, Track>();
  #calls = 0;

  /** Counts an event of the session; to be called once for each, before its rules are asked. */
  step(on: EventKind): void {
    if (on === 'call') this.#calls += 1;
  }

  get calls(): number {
    return this.#calls;
  }

  /** Conditions that this session keeps track of. */
  get size(): number {
    return this.#tracks.size;
  }

  /** The events that the condition of that key has seen so far; `fresh` makes an empty one. */
  track<T extends Track>(key: string, fresh: () => T, is: (track: Track) => track is T): T {
    const known = this.#tracks.get(key);
    const track = known !== undefined && is(known) ? known : fresh();
    this.#tracks.delete(key);
    this.#tracks.set(key, track);
    if (this.#tracks.size > MAX_TRACKS) this.#dropOldest();
    return track;
  }

  peek(key: string): boolean {
    return this.#tracks.has(key);
  }

  #dropOldest(): void {
    for (const key of this.#tracks.keys()) {
      this.#tracks.delete(key);
      return;
    }
  }
}

export type Track = SequenceTrack | CountTrack;

/** How far a session has come in a sequence. */
export class SequenceTrack {
  /**
   * For each step but the last, the way there that began last: whatever comes later, a way that began earlier can
   * only be too old where this one is not.
   */
  readonly #ways: (readonly Seen[] | undefined)[] = [];

  /**
   * Takes an event in that took the steps of these numbers. The way that it completes, or null. One event takes one
   * step of a way: the later steps are looked at first.
   */
  advance(sequence: Sequence, taken: readonly boolean[], seen: Seen): readonly Seen[] | null {
    const last = sequence.steps.length - 1;
    let complete: readonly Seen[] | null = null;
    for (let step = last; step >= 0; step -= 1) {
      if (taken[step] !== true) continue;
      const before = step === 0 ? [] : this.#ways[step - 1];
      if (before === undefined || !inTime(sequence, before[0], seen)) continue;
      const way = [...before, seen];
      if (step === last) complete = way;
      else this.#ways[step] = way;
    }
    return complete;
  }
}

function inTime({ withinMs, withinCalls }: Sequence, first: Seen | undefined, now: Seen): boolean {
  if (first === undefined) return true;
  if (now.at - first.at > withinMs) return false;
  return withinCalls === null || now.calls - first.calls <= withinCalls;
}

/** The last events of a kind, or the last different values. */
export class CountTrack {
  /** In the order of their last time; the key is the value where values are counted, else a number. */
  readonly #seen = new Map<string | number, number>();
  #number = 0;

  /** True when there are enough of them with this one. */
  add({ atLeast, withinMs }: Count, value: string | null, at: number): boolean {
    const key = value ?? this.#number++;
    this.#seen.delete(key);
    this.#seen.set(key, at);
    for (const [old, when] of this.#seen) {
      if (at - when <= withinMs && this.#seen.size <= atLeast) break;
      this.#seen.delete(old);
    }
    return this.#seen.size >= atLeast;
  }
}
