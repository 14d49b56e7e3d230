import { type Node, singleOf } from './syntax.ts';

/** Texts of which at least one stands in whatever matches; in lower case. Null: none are known. */
export type Literals = readonly string[] | null;

/** Longest piece that is searched for: more tells little more, and makes the automaton large. */
const MAX_CHARS = 10;
const MAX_EXACT = 24;
const MAX_EXACT_CHARS = 40;
const MAX_LITERALS = 256;
const MIN_CHARS = 2;

/** `exact`: all that the node can match, where that is little; `best`: what must stand in its matches. */
interface Info {
  readonly exact: readonly string[] | null;
  readonly best: Literals;
}

const NOTHING: Info = { exact: [''], best: null };
const UNKNOWN: Info = { exact: null, best: null };

/** What must stand in every match: the longest pieces, for the automaton that looks for those of all rules at once. */
export function literalsOf(node: Node): Literals {
  const { exact, best } = infoOf(node);
  return cut(better(usable(exact), best));
}

/** The same for a text that must stand there as it is. */
export function literalOf(text: string): Literals {
  return cut(usable([lower(text)]));
}

function infoOf(node: Node): Info {
  switch (node.kind) {
    case 'set':
      return { exact: lettersOf(node), best: null };
    case 'border':
      return NOTHING;
    case 'look':
      return node.negated ? NOTHING : { exact: [''], best: literalsOf(node.item) };
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
  let best: Literals = null;
  let run: readonly string[] = [''];
  let whole = true;
  for (const { exact, best: inner } of infos) {
    best = better(best, inner);
    const longer = exact === null ? null : product(run, exact);
    if (longer !== null) {
      run = longer;
      continue;
    }
    best = better(best, usable(run));
    whole = false;
    run = exact ?? [''];
  }
  return whole ? { exact: run, best } : { exact: null, best: better(best, usable(run)) };
}

function eitherInfo(infos: readonly Info[]): Info {
  const exact = infos.every((one) => one.exact !== null) ? infos.flatMap((one) => one.exact ?? []) : null;
  const each = infos.map((one) => better(usable(one.exact), one.best));
  const all = each.every((one) => one !== null) ? unique(each.flatMap((one) => one ?? [])) : null;
  return {
    exact: exact !== null && exact.length <= MAX_EXACT ? unique(exact) : null,
    best: all !== null && all.length <= MAX_LITERALS ? all : null,
  };
}

function repeatInfo(inner: Info, min: number, max: number | null): Info {
  if (min === 0) {
    const { exact } = inner;
    return max === 1 && exact !== null && exact.length < MAX_EXACT
      ? { exact: unique([...exact, '']), best: null }
      : UNKNOWN;
  }
  if (min === 1 && max === 1) return inner;
  const best = better(usable(inner.exact), inner.best);
  if (min === max && min <= 4) {
    const whole = Array.from({ length: min - 1 }).reduce<readonly string[] | null>(
      (so) => (so === null || inner.exact === null ? null : product(so, inner.exact)),
      inner.exact,
    );
    return { exact: whole, best };
  }
  return { exact: null, best };
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
  const [first, second] = [shortest(one), shortest(other)];
  if (first !== second) return first > second ? one : other;
  return one.length <= other.length ? one : other;
}

export function shortest(texts: readonly string[]): number {
  return Math.min(...texts.map((text) => Math.min(text.trim().length, MAX_CHARS)));
}

function cut(literals: Literals): Literals {
  if (literals === null) return null;
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
