import { RE2JS } from 're2js';

export interface Match {
  readonly start: number;
  readonly end: number;
  /** The group `value` (or `value2`, … of another branch), or the whole match. */
  readonly value: string;
}

/** A regular expression of a rule: linear in the text whatever it says, so that no rule file can stall the gate. */
export class Expression {
  readonly #compiled: RE2JS;
  readonly #valueGroups: readonly number[];

  /** Throws Error with a sentence when it can't be run. */
  constructor(source: string) {
    this.#compiled = RE2JS.compile(source, RE2JS.CASE_INSENSITIVE);
    this.#valueGroups = Object.entries(this.#compiled.namedGroups())
      .filter(([name]) => /^value[2-9]?$/.test(name))
      .map(([, group]) => group);
  }

  test(text: string): boolean {
    return this.#compiled.test(text);
  }

  /** True when the whole text is one match. */
  testWhole(text: string): boolean {
    return this.#compiled.testExact(text);
  }

  *matches(text: string): Iterable<Match> {
    const matcher = this.#compiled.matcher(text);
    while (matcher.find()) {
      const named = this.#valueGroups.map((group) => matcher.group(group)).find((value) => value !== null);
      yield { start: matcher.start(), end: matcher.end(), value: named ?? matcher.group() ?? '' };
    }
  }

  first(text: string): Match | null {
    for (const match of this.matches(text)) return match;
    return null;
  }
}
