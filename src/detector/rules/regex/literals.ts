import { type Node, singleOf } from './syntax.ts';

/** Texts of which at least one stands in whatever matches; in lower case. Null: none are known. */
export type Literals = readonly string[] | null;

/** Longest piece that is searched for: more tells little more, and makes the automaton large. */
const MAX_CHARS = 10;
const MAX_EXACT = 24;
const MAX_EXACT_CHARS = 40;
const MAX_LITERALS = 256;
const MIN_CHARS = 2;
const MAX_CLAUSES = 4;
const TELLING_CHARS = 3;
const TELLING_LITERALS = 48;

/** Several of these, all of which hold at once: of each, at least one text stands there. The best comes first. */
export type Clauses = readonly (readonly string[])[];

/** `exact`: all that the node can match, where that is little; `needed`: what must stand in its matches. */
interface Info {
  readonly exact: readonly string[] | null;
  readonly needed: Clauses;
}

const NOTHING: Info = { exact: [''], needed: [] };
const UNKNOWN: Info = { exact: null, needed: [] };

/** What must stand in every match, for the automaton that looks for those of all rules at once. */
export function clausesOf(node: Node): Clauses {
  const { exact, needed } = infoOf(node);
  const sorted = different(withExact(needed, exact)).toSorted(byWorth).map(cut);
  // What stands in every other text as well only makes the automaton larger.
  return sorted.filter((one, index) => index === 0 || isTelling(one)).slice(0, MAX_CLAUSES);
}

/** The same for a text that must stand there as it is. */
export function literalOf(text: string): Literals {
  const literals = usable([lower(text)]);
  return literals === null ? null : cut(literals);
}

function infoOf(node: Node): Info {
  switch (node.kind) {
    case 'set':
      return { exact: lettersOf(node), needed: [] };
    case 'border':
      return NOTHING;
    case 'look':
      return node.negated ? NOTHING : { exact: [''], needed: neededOf(infoOf(node.item)) };
    case 'named':
    case 'cased':
      return infoOf(node.item);
    case 'concat':
      return concatInfo(node.items.map(infoOf));
    case 'either':
      return eitherInfo(node.options.map(infoOf));
    case 'repeat':
      return repeatInfo(infoOf(node.item), node.min, node.max);
  }
}

function lettersOf(node: Node & { readonly kind: 'set' }): readonly string[] | null {
  const single = singleOf(node);
  if (single !== null) return [lower(String.fromCodePoint(single))];
  if (node.negated) return null;
  const letters = new Set<string>();
  for (const part of node.parts) {
    if (typeof part === 'string' || part[1] - part[0] > 4) return null;
    for (let code = part[0]; code <= part[1]; code += 1) letters.add(lower(String.fromCodePoint(code)));
  }
  return letters.size <= 6 ? [...letters] : null;
}

function concatInfo(infos: readonly Info[]): Info {
  const needed: (readonly string[])[] = [];
  let run: readonly string[] = [''];
  let whole = true;
  const flush = (): void => {
    const texts = usable(run);
    if (texts !== null) needed.push(texts);
  };
  for (const { exact, needed: inner } of infos) {
    needed.push(...inner);
    const longer = exact === null ? null : product(run, exact);
    if (longer !== null) {
      run = longer;
      continue;
    }
    flush();
    whole = false;
    run = exact ?? [''];
  }
  if (whole) return { exact: run, needed };
  flush();
  return { exact: null, needed };
}

function eitherInfo(infos: readonly Info[]): Info {
  const exact = infos.every((one) => one.exact !== null) ? infos.flatMap((one) => one.exact ?? []) : null;
  const each = infos.map((one) => neededOf(one).toSorted(byWorth)[0] ?? null);
  const all = each.every((one) => one !== null) ? unique(each.flatMap((one) => one ?? [])) : null;
  return {
    exact: exact !== null && exact.length <= MAX_EXACT ? unique(exact) : null,
    needed: all !== null && all.length <= MAX_LITERALS ? [all] : [],
  };
}

function repeatInfo(inner: Info, min: number, max: number | null): Info {
  if (min === 0) {
    const { exact } = inner;
    return max === 1 && exact !== null && exact.length < MAX_EXACT
      ? { exact: unique([...exact, '']), needed: [] }
      : UNKNOWN;
  }
  if (min === 1 && max === 1) return inner;
  const needed = neededOf(inner);
  if (min === max && min <= 4) {
    const whole = Array.from({ length: min - 1 }).reduce<readonly string[] | null>(
      (so) => (so === null || inner.exact === null ? null : product(so, inner.exact)),
      inner.exact,
    );
    return { exact: whole, needed };
  }
  return { exact: null, needed };
}

function neededOf({ exact, needed }: Info): Clauses {
  return withExact(needed, exact);
}

function withExact(needed: Clauses, exact: readonly string[] | null): Clauses {
  const texts = usable(exact);
  return texts === null ? needed : [texts, ...needed];
}

function product(one: readonly string[], other: readonly string[]): readonly string[] | null {
  if (one.length * other.length > MAX_EXACT) return null;
  const all = one.flatMap((start) => other.map((end) => start + end));
  return all.some((text) => text.length > MAX_EXACT_CHARS) ? null : unique(all);
}

/** Null when one of them is too short to search for. */
function usable(texts: readonly string[] | null): Literals {
  if (texts === null || texts.length === 0) return null;
  return texts.every((text) => text.trim().length >= MIN_CHARS) ? texts : null;
}

/** The one whose shortest text is longer; of equals, the one with fewer. */
export function better(one: Literals, other: Literals): Literals {
  if (one === null || other === null) return one ?? other;
  return byWorth(one, other) <= 0 ? one : other;
}

/** What is longer stands in fewer texts; of what is as long, fewer do. */
function byWorth(one: readonly string[], other: readonly string[]): number {
  return shortest(other) - shortest(one) || one.length - other.length;
}

function shortest(texts: readonly string[]): number {
  return Math.min(...texts.map((text) => Math.min(text.trim().length, MAX_CHARS)));
}

function different(clauses: Clauses): Clauses {
  return [...new Map(clauses.map((one) => [one.join('\n'), one])).values()];
}

function isTelling(texts: readonly string[]): boolean {
  return shortest(texts) >= TELLING_CHARS && texts.length <= TELLING_LITERALS;
}

function cut(literals: readonly string[]): readonly string[] {
  return unique(literals.map((text) => text.trimStart().slice(0, MAX_CHARS).trimEnd()));
}

/** As the automaton reads: unit by unit, so that places in the text stay places. */
export function lower(text: string): string {
  let folded = '';
  for (const unit of text) {
    const small = unit.toLowerCase();
    folded += small.length === unit.length ? small : unit;
  }
  return folded;
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}
