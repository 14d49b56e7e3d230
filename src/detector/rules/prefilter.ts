import { Automaton } from './automaton.ts';
import type { RuleEvent } from './event.ts';
import type { CompiledLeaf } from './leaf.ts';
import type { Text } from './text.ts';

/** Looks for the literals of all rules in one pass over each text of an event. */
export class Prefilter {
  readonly #automaton: Automaton;
  readonly #ids: ReadonlyMap<string, number>;
  /** Fields to look in, and whether also behind their codings. */
  readonly #fields: ReadonlyMap<string, boolean>;

  constructor(leaves: readonly CompiledLeaf[]) {
    const searched = leaves.filter(({ clauses }) => clauses.length > 0);
    const literals = [...new Set(searched.flatMap(({ clauses }) => clauses.flat()))];
    this.#automaton = new Automaton(literals);
    this.#ids = new Map(literals.map((literal, id) => [literal, id]));
    const fields = new Map<string, boolean>();
    for (const { leaf } of searched)
      fields.set(leaf.field, fields.get(leaf.field) === true || leaf.encodings === true);
    this.#fields = fields;
  }

  /** How many different literals there are. */
  get size(): number {
    return this.#ids.size;
  }

  /** The number of a literal in what `scan` gives. */
  idOf(literal: string): number {
    return this.#ids.get(literal) ?? -1;
  }

  idsOf(literals: readonly string[]): readonly number[] {
    return literals.map((literal) => this.idOf(literal));
  }

  /** Scans the texts of an event; the numbers of the literals that stand in any of them. */
  scan(event: RuleEvent): ReadonlySet<number> {
    const found = new Set<number>();
    for (const [field, decoded] of this.#fields) {
      for (const text of decoded ? event.decodedTexts(field) : event.texts(field))
        this.#scanText(text, found);
    }
    return found;
  }

  #scanText(text: Text, found: Set<number>): void {
    if (text.scan !== null) return;
    text.scan = this.#automaton.scan(text.value);
    for (const id of text.scan.ids) found.add(id);
  }
}
