import { RE2JS } from 're2js';
import { type Clauses, clausesOf } from './regex/literals.ts';
import { checkCounts, sizeOf } from './regex/measure.ts';
import { parseRegex, RegexError } from './regex/parse.ts';
import { looksOf, type Plan, planOf, withoutLooks } from './regex/plan.ts';
import { print } from './regex/print.ts';
import type { Node } from './regex/syntax.ts';
import type { Dialect } from './rule.ts';
import type { Text } from './text.ts';

export interface Match {
  readonly start: number;
  readonly end: number;
  /** The group `value` (or `value2`, … of another branch), or the whole match. */
  readonly value: string;
}

/** States of one expression: larger ones take too long to make ready. */
const MAX_STATES = 20_000;
/** With look-arounds every state may be visited for every character. */
const MAX_LOOK_STATES = 4_000;

const FLAGS = RE2JS.CASE_INSENSITIVE | RE2JS.LOOKBEHINDS;

/** A regular expression of a rule: linear in the text whatever it says, so that no rule file can stall the gate. */
export class Expression {
  /** Of each of these, at least one text stands, in any case, in every match. */
  readonly clauses: Clauses;
  /** Characters of a match with what is looked at around it; null: without end. */
  readonly chars: number | null;
  /** Of its program: with looks, so many steps may one character cost. */
  readonly #states: number;
  readonly #node: Node;
  readonly #plan: Plan;
  #searched: RE2JS | null = null;
  /** The same without looks, for RE2's fast machine; where there are none, it is not needed. */
  #sketched: RE2JS | null = null;
  #located: RE2JS | null = null;

  /** Throws RegexError with a sentence when it can't be run. */
  constructor(source: string, dialect: Dialect = 're2') {
    this.#node = parseRegex(source, dialect);
    this.#plan = planOf(this.#node);
    checkCounts(this.#node);
    const { node, looks } = this.#plan;
    const { chars, states } = sizeOf(node);
    const limit = looks ? MAX_LOOK_STATES : MAX_STATES;
    if (states > limit)
      throw new RegexError(`the expression is too large: about ${states} states, ${limit} is the limit`);
    this.clauses = clausesOf(this.#node);
    this.chars = chars;
    this.#states = states;
  }

  /** Made ready when it is first needed: of a large pack, most expressions never are. */
  prepare(): void {
    const { node, backwards } = this.#plan;
    this.#searched ??= RE2JS.compile(print(node, backwards), FLAGS);
    if (this.#plan.looks) this.#sketched ??= RE2JS.compile(print(withoutLooks(node)), FLAGS);
  }

  /** False where more than the budget of the text would have to be spent. */
  test(text: Text): boolean {
    this.prepare();
    const { length } = text.value;
    if (!text.budget.spend(length)) return false;
    if (this.#sketched?.test(text.value) === false) return false;
    if (this.#plan.looks && !text.budget.spend(length * this.#states)) return false;
    return this.#searched?.test(this.#plan.backwards ? text.backwards : text.value) ?? false;
  }

  /** True when the whole text is one match. Not for expressions that look ahead. */
  testWhole(text: string): boolean {
    return this.#locating().testExact(text);
  }

  /** Where it matches. Expressions that look ahead give one place: the whole text. */
  *matches(text: Text): Iterable<Match> {
    if (looksOf(this.#node).ahead) {
      if (this.test(text)) yield { start: 0, end: 0, value: text.value };
      return;
    }
    const compiled = this.#locating();
    const groups = Object.entries(compiled.namedGroups())
      .filter(([name]) => /^value[2-9]?$/.test(name))
      .map(([, group]) => group);
    const matcher = compiled.matcher(text.value);
    while (matcher.find()) {
      const named = groups.map((group) => matcher.group(group)).find((value) => value !== null);
      yield { start: matcher.start(), end: matcher.end(), value: named ?? matcher.group() ?? '' };
    }
  }

  /** A place where it matches; the whole text where it looks ahead. */
  first(text: Text): Match | null {
    this.prepare();
    if (this.#plan.backwards || this.#searched === null)
      return this.test(text) ? { start: 0, end: 0, value: text.value } : null;
    const matcher = this.#searched.matcher(text.value);
    return matcher.find()
      ? { start: matcher.start(), end: matcher.end(), value: matcher.group() ?? '' }
      : null;
  }

  #locating(): RE2JS {
    this.#located ??= RE2JS.compile(print(this.#node), FLAGS);
    return this.#located;
  }
}
