import type { CliFault } from './fault.ts';

/** Where a command writes to. */
export interface Stream {
  readonly isTTY?: boolean;
  write(bytes: string | Uint8Array): unknown;
}

export type Row = Readonly<Record<string, unknown>>;

/** One column of a table, or one line of an item: title, and the member or a function of the row. */
export type Column = readonly [title: string, of: string | ((row: Row) => string)];

/** What came over the wire as rows, or nothing when it is not a list of objects. */
export function rowsOf(value: unknown): readonly Row[] {
  return Array.isArray(value) && value.every(isRow) ? value : [];
}

export function rowOf(value: unknown): Row {
  return isRow(value) ? value : {};
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Text for people, or JSON in stable shapes; never both. */
export class Output {
  readonly json: boolean;
  /** For what writes by itself: a service in the foreground. */
  readonly out: Stream;
  readonly err: Stream;

  constructor(o: { readonly json: boolean; readonly out: Stream; readonly err: Stream }) {
    this.json = o.json;
    this.out = o.out;
    this.err = o.err;
  }

  /** The result of a command that has one value: with `--json` the value, else the sentence. */
  result(value: unknown, sentence: string): void {
    if (this.json) this.#writeJson(value);
    else this.out.write(`${printable(sentence)}\n`);
  }

  /** A list: with `--json` as `{"items": […]}`. */
  list(items: readonly Row[], columns: readonly Column[], whenEmpty: string): void {
    if (this.json) {
      this.#writeJson({ items });
      return;
    }
    if (items.length === 0) {
      this.out.write(`${whenEmpty}\n`);
      return;
    }
    const table = [columns.map(([title]) => title), ...items.map((item) => cells(item, columns))];
    const widths = columns.map((_, at) => Math.max(...table.map((line) => width(line[at] ?? ''))));
    table.forEach((line, index) => {
      const text = line
        .map((cell, at) => pad(cell, widths[at] ?? 0))
        .join('  ')
        .trimEnd();
      this.out.write(`${index === 0 ? this.#bold(text) : text}\n`);
    });
  }

  /** One thing with its members, a line each. */
  item(value: Row, columns: readonly Column[]): void {
    if (this.json) {
      this.#writeJson(value);
      return;
    }
    const wide = Math.max(...columns.map(([title]) => title.length));
    cells(value, columns).forEach((cell, at) => {
      this.out.write(`${this.#bold((columns[at]?.[0] ?? '').padEnd(wide))}  ${cell}\n`);
    });
  }

  /** For people alone; with `--json` nothing. */
  say(text: string): void {
    if (!this.json) this.out.write(`${text}\n`);
  }

  /** One JSON value a line, or what `line` makes of it. */
  record(value: Row, line: (value: Row) => string): void {
    if (this.json) this.out.write(`${escapeJson(JSON.stringify(value))}\n`);
    else this.out.write(`${printable(line(value))}\n`);
  }

  /** Bytes of somebody else, as they are. */
  raw(bytes: string | Uint8Array): void {
    this.out.write(bytes);
  }

  /** Beside the result, on standard error. */
  note(text: string): void {
    this.err.write(`${printable(text)}\n`);
  }

  fault({ code, message, remedy, details }: CliFault): void {
    if (this.json) {
      this.err.write(`${escapeJson(JSON.stringify({ error: { code, message, remedy, details } }))}\n`);
      return;
    }
    this.err.write(`sallyport: ${printable(message)} (${code})\n`);
    for (const { in: place, pointer, detail } of details) {
      const where = `${place}${pointer}`;
      this.err.write(`  ${where === '' ? '' : `${printable(where)}: `}${printable(detail)}\n`);
    }
    if (remedy !== null) this.err.write(`  ${printable(remedy)}\n`);
  }

  #writeJson(value: unknown): void {
    this.out.write(`${escapeJson(JSON.stringify(value, null, 2))}\n`);
  }

  #bold(text: string): string {
    return this.out.isTTY === true ? `\u001b[1m${text}\u001b[22m` : text;
  }
}

function cells(item: Row, columns: readonly Column[]): string[] {
  return columns.map(([, of]) => printable(typeof of === 'string' ? textOf(item[of]) : of(item)));
}

export function textOf(value: unknown): string {
  if (value === null || value === undefined || value === '') return '-';
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.map(textOf).join(' ');
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** A moment in milliseconds as people and other programs read it. */
export function timeOf(value: unknown): string {
  return typeof value === 'number' ? new Date(value).toISOString().replace('.000Z', 'Z') : '-';
}

/**
 * An agent chooses words that an administrator reads here (evidence, tool arguments, paths). Escape sequences
 * and characters that turn the direction of text would let it write its own approval dialogue.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (one) =>
    one === '\n' ? '\\n' : escapeUnit(one),
  );
}

function escapeJson(text: string): string {
  return text.replace(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu, escapeUnit);
}

function escapeUnit(one: string): string {
  return Array.from(
    { length: one.length },
    (_, at) => `\\u${one.charCodeAt(at).toString(16).padStart(4, '0')}`,
  ).join('');
}

function width(text: string): number {
  return [...text].length;
}

function pad(text: string, to: number): string {
  return text + ' '.repeat(Math.max(0, to - width(text)));
}
