import type { Scan } from './automaton.ts';

/** What the rules may spend on one event, in steps of some 20 nanoseconds: hostile texts are made to be expensive. */
const MAX_STEPS = 10_000_000;

/** Counts what the rules spend on one event. By steps, not by time: the same text always ends the same way. */
export class Budget {
  #left = MAX_STEPS;
  /** True when something was left out. */
  exhausted = false;

  /** False when there is not enough left: then that much is left out. */
  spend(steps: number): boolean {
    if (steps > this.#left) {
      this.exhausted = true;
      return false;
    }
    this.#left -= steps;
    return true;
  }
}

/** One text of an event, and what has been found out about it. */
export class Text {
  readonly value: string;
  readonly budget: Budget;
  /** What the automaton of a rule set has seen in it; null: it was not asked. */
  scan: Scan | null = null;
  #lower: string | null = null;
  #backwards: string | null = null;
  #unitsPerChar: number | null = null;

  constructor(value: string, budget: Budget = new Budget()) {
    this.value = value;
    this.budget = budget;
  }

  get lower(): string {
    this.#lower ??= this.value.toLowerCase();
    return this.#lower;
  }

  /** From its end to its beginning, character by character. */
  get backwards(): string {
    this.#backwards ??= [...this.value].reverse().join('');
    return this.#backwards;
  }

  /** 2 when characters outside the basic plane stand in it: those take two places. */
  get unitsPerChar(): number {
    this.#unitsPerChar ??= /[\ud800-\udfff]/.test(this.value) ? 2 : 1;
    return this.#unitsPerChar;
  }
}
