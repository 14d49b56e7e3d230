import type { Dialect } from '../rule.ts';
import { LINE_ENDS_JAVASCRIPT, NEWLINE, shorthand } from './classes.ts';
import { type Border, charOf, EMPTY, LAST_CODE, type Node, type SetPart, setOf, singleOf } from './syntax.ts';

/** An expression that can't be run, and why. */
export class RegexError extends Error {}

const MAX_CHARS = 16 * 1024;
const MAX_DEPTH = 100;

/** Flags in force at one place of the expression. */
interface Flags {
  readonly multiline: boolean;
  readonly dotAll: boolean;
  readonly cased: boolean;
}

/** Reads an expression of JavaScript, Python or RE2. Throws RegexError for what no linear-time engine can run. */
export function parseRegex(source: string, dialect: Dialect): Node {
  if (source.length > MAX_CHARS)
    throw new RegexError(`the expression is longer than ${MAX_CHARS} characters`);
  return new Parser(source, dialect).parse();
}

class Parser {
  readonly #codes: readonly string[];
  readonly #dialect: Dialect;
  #at = 0;
  #depth = 0;
  #flags: Flags = { multiline: false, dotAll: false, cased: false };

  constructor(source: string, dialect: Dialect) {
    this.#codes = [...source];
    this.#dialect = dialect;
  }

  parse(): Node {
    const node = this.#either();
    if (this.#at < this.#codes.length) throw new RegexError('a ) closes nothing');
    return node;
  }

  #either(): Node {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH)
      throw new RegexError(`groups stand more than ${MAX_DEPTH} deep in each other`);
    // Flags that are set inside a group end with it.
    const flags = this.#flags;
    const options = [this.#concat()];
    while (this.#take('|')) options.push(this.#concat());
    this.#flags = flags;
    this.#depth -= 1;
    return options.length === 1 ? (options[0] ?? EMPTY) : { kind: 'either', options };
  }

  #concat(): Node {
    const items: Node[] = [];
    while (this.#at < this.#codes.length && this.#peek() !== '|' && this.#peek() !== ')') {
      const atom = this.#atom();
      if (atom !== null) push(items, this.#quantified(atom));
    }
    return items.length === 1 ? (items[0] ?? EMPTY) : { kind: 'concat', items };
  }

  #quantified(atom: Node): Node {
    const counts = this.#counts();
    if (counts === null) return atom;
    const [min, max] = counts;
    if (this.#peek() === '+') throw new RegexError('possessive quantifiers are not supported');
    const lazy = this.#take('?');
    if (this.#peek() === '*' || this.#peek() === '+')
      throw new RegexError('a quantifier stands behind a quantifier');
    // `(?=a)*` may as well not be there.
    if (atom.kind === 'border' || atom.kind === 'look') return min === 0 ? EMPTY : atom;
    return { kind: 'repeat', item: atom, min, max, lazy };
  }

  #counts(): readonly [min: number, max: number | null] | null {
    if (this.#take('*')) return [0, null];
    if (this.#take('+')) return [1, null];
    if (this.#take('?')) return [0, 1];
    if (this.#peek() !== '{') return null;
    const [, low, comma, high] = /^\{(\d{1,6})(,?)(\d{0,6})\}/.exec(this.#rest(20)) ?? [];
    // `{` that counts nothing is itself.
    if (low === undefined) return null;
    this.#at = this.#codes.indexOf('}', this.#at) + 1;
    const min = Number(low);
    const max = comma === '' ? min : high === '' ? null : Number(high);
    if (max !== null && max < min) throw new RegexError(`{${min},${max}} counts backwards`);
    return [min, max];
  }

  /** Null for what sets flags alone. */
  #atom(): Node | null {
    const char = this.#next();
    switch (char) {
      case '(':
        return this.#group();
      case '[':
        return this.#cased(this.#set());
      case '.':
        return this.#dot();
      case '^':
        return border(this.#flags.multiline ? 'lineStart' : 'textStart');
      case '$':
        return this.#dollar();
      case '\\':
        return this.#escape();
      case '*':
      case '+':
      case '?':
        throw new RegexError(`${char} repeats nothing`);
      default:
        return this.#cased(charOf(char.codePointAt(0) ?? 0));
    }
  }

  #cased(node: Node): Node {
    return this.#flags.cased ? { kind: 'cased', item: node } : node;
  }

  #dot(): Node {
    if (this.#flags.dotAll) return setOf([[0, LAST_CODE]]);
    return setOf(this.#dialect === 'javascript' ? LINE_ENDS_JAVASCRIPT : NEWLINE, true);
  }

  #dollar(): Node {
    if (this.#flags.multiline) return border('lineEnd');
    if (this.#dialect !== 'python') return border('textEnd');
    // Python's stands also before the newline that ends the text.
    const newline: Node = { kind: 'repeat', item: charOf(0x0a), min: 0, max: 1, lazy: false };
    return { kind: 'concat', items: [newline, border('textEnd')] };
  }

  #group(): Node | null {
    if (!this.#take('?')) return this.#closed(this.#either());
    if (this.#take(':')) return this.#closed(this.#either());
    for (const [start, ahead, negated] of LOOKS) {
      if (!this.#takeAll(start)) continue;
      return { kind: 'look', ahead, negated, item: this.#closed(this.#either()) };
    }
    const [named, name] = /^P?<([A-Za-z_]\w{0,40})>/.exec(this.#rest(48)) ?? [];
    if (named !== undefined && name !== undefined) {
      this.#at += named.length;
      const item = this.#closed(this.#either());
      return /^value[2-9]?$/.test(name) ? { kind: 'named', name, item } : item;
    }
    return this.#flagGroup();
  }

  #flagGroup(): Node | null {
    const [written, on = '', off = '', end] =
      /^([a-zA-Z]*)(?:-([a-zA-Z]+))?([:)])/.exec(this.#rest(16)) ?? [];
    const letters = `${on}${off}`;
    if (written === undefined || /[^imsuU]/.test(letters)) {
      const start = this.#rest(4);
      throw new RegexError(
        /^[(P=>]/.test(start)
          ? `(?${start.slice(0, 2)} refers back or can't be given up: only backtracking can do that`
          : `(?${start} is not supported`,
      );
    }
    this.#at += written.length;
    const before = this.#flags;
    this.#flags = {
      multiline: letterFlag('m', on, off, before.multiline),
      dotAll: letterFlag('s', on, off, before.dotAll),
      cased: !letterFlag('i', on, off, !before.cased),
    };
    if (end === ')') return null;
    const item = this.#closed(this.#either());
    this.#flags = before;
    return item;
  }

  #closed(node: Node): Node {
    if (!this.#take(')')) throw new RegexError('a ( is not closed');
    return node;
  }

  #escape(): Node {
    const char = this.#next();
    const where = BORDERS.get(char);
    if (where !== undefined) return border(where);
    if (/[1-9]/.test(char) || char === 'k')
      throw new RegexError('a back-reference needs backtracking, which a hostile text makes endless');
    if (/[dwsDWS]/.test(char)) return setOf(shorthand(char, this.#dialect));
    if (char === 'p' || char === 'P') return setOf([this.#property(char)]);
    return this.#cased(charOf(this.#escaped(char)));
  }

  /** The code point that `\` and this character stand for. */
  #escaped(char: string): number {
    const simple = ESCAPES.get(char);
    if (simple !== undefined) return simple;
    if (char === 'x' || char === 'u') {
      const pattern =
        char === 'x' ? /^(?:\{([0-9a-f]{1,6})\}|([0-9a-f]{2}))/i : /^(?:\{([0-9a-f]{1,6})\}|([0-9a-f]{4}))/i;
      const [written, braced, plain] = pattern.exec(this.#rest(8)) ?? [];
      if (written === undefined) throw new RegexError(`\\${char} is not followed by a code`);
      this.#at += written.length;
      const code = Number.parseInt(braced ?? plain ?? '', 16);
      if (code > LAST_CODE) throw new RegexError(`\\${char}${written} is no character`);
      return code;
    }
    if (/[A-Za-z]/.test(char)) throw new RegexError(`\\${char} is not supported`);
    return char.codePointAt(0) ?? 0;
  }

  #property(letter: string): string {
    const [written] = /^(\{\^?[A-Za-z_ ]{1,40}\}|[LMNPSZC])/.exec(this.#rest(48)) ?? [];
    if (written === undefined) throw new RegexError(`\\${letter} is not followed by a class`);
    this.#at += written.length;
    return `\\${letter}${written}`;
  }

  #set(): Node {
    const negated = this.#take('^');
    const parts: SetPart[] = [];
    let first = true;
    while (first ? true : this.#peek() !== ']') {
      if (this.#at >= this.#codes.length) throw new RegexError('a [ is not closed');
      // In RE2 and Python, ] at the beginning is itself; in JavaScript it closes an empty set.
      if (first && this.#peek() === ']' && this.#dialect === 'javascript') break;
      first = false;
      this.#setPart(parts);
    }
    this.#at += 1;
    return setOf(parts, negated);
  }

  #setPart(parts: SetPart[]): void {
    const [posix] = /^\[:\^?[a-z]+:\]/.exec(this.#rest(12)) ?? [];
    if (posix !== undefined && this.#dialect === 're2') {
      this.#at += posix.length;
      parts.push(posix);
      return;
    }
    const from = this.#setChar();
    if (typeof from !== 'number') {
      parts.push(...from);
      return;
    }
    if (
      this.#peek() !== '-' ||
      this.#codes[this.#at + 1] === ']' ||
      this.#codes[this.#at + 1] === undefined
    ) {
      parts.push([from, from]);
      return;
    }
    this.#at += 1;
    const to = this.#setChar();
    if (typeof to !== 'number') {
      parts.push([from, from], [0x2d, 0x2d], ...to);
      return;
    }
    if (to < from) throw new RegexError('a range in [ ] runs backwards');
    parts.push([from, to]);
  }

  #setChar(): number | readonly SetPart[] {
    const char = this.#next();
    if (char !== '\\') return char.codePointAt(0) ?? 0;
    const escaped = this.#next();
    if (/[dwsDWS]/.test(escaped)) return shorthand(escaped, this.#dialect);
    if (escaped === 'p' || escaped === 'P') return [this.#property(escaped)];
    if (escaped === 'b') return 0x08;
    return this.#escaped(escaped);
  }

  #peek(): string | undefined {
    return this.#codes[this.#at];
  }

  #next(): string {
    const char = this.#codes[this.#at];
    if (char === undefined) throw new RegexError('the expression ends in the middle');
    this.#at += 1;
    return char;
  }

  #take(char: string): boolean {
    if (this.#peek() !== char) return false;
    this.#at += 1;
    return true;
  }

  #takeAll(text: string): boolean {
    if (this.#rest(text.length) !== text) return false;
    this.#at += text.length;
    return true;
  }

  #rest(length: number): string {
    return this.#codes.slice(this.#at, this.#at + length).join('');
  }
}

const LOOKS = [
  ['=', true, false],
  ['!', true, true],
  ['<=', false, false],
  ['<!', false, true],
] as const;

const BORDERS: ReadonlyMap<string, Border> = new Map([
  ['b', 'word'],
  ['B', 'noWord'],
  ['A', 'textStart'],
  ['z', 'textEnd'],
  ['Z', 'textEnd'],
]);

const ESCAPES: ReadonlyMap<string, number> = new Map([
  ['n', 0x0a],
  ['r', 0x0d],
  ['t', 0x09],
  ['f', 0x0c],
  ['v', 0x0b],
  ['a', 0x07],
  ['e', 0x1b],
  ['0', 0x00],
]);

function border(where: Border): Node {
  return { kind: 'border', where };
}

function letterFlag(letter: string, on: string, off: string, before: boolean): boolean {
  return off.includes(letter) ? false : on.includes(letter) ? true : before;
}

/** A high surrogate and what follows it are one character: JavaScript without its u flag writes them apart. */
function push(items: Node[], node: Node): void {
  const last = items.at(-1);
  const high = last === undefined ? null : singleOf(last);
  if (high === null || high < 0xd800 || high > 0xdbff || node.kind !== 'set' || node.negated) {
    items.push(node);
    return;
  }
  const parts = node.parts.map((part): SetPart => {
    if (typeof part === 'string' || part[0] < 0xdc00 || part[1] > 0xdfff)
      throw new RegexError('half a character stands alone');
    const [from, to] = part.map((low) => ((high - 0xd800) << 10) + (low - 0xdc00) + 0x10000);
    return [from ?? 0, to ?? 0];
  });
  items[items.length - 1] = setOf(parts);
}
