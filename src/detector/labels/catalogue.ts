import { createHash } from 'node:crypto';
import { type Strictness, stricterBy, type ToldTool } from './hints.ts';

/** Most tools of one list that are remembered, and the longest name. */
export const MAX_TOOLS = 1_024;
export const MAX_TOOL_CHARS = 128;
/** Lists that are kept to be shared. A session that holds another one keeps it all the same. */
const MAX_SHARED = 256;
/** Bytes a tool takes; from above. */
const TOOL_BYTES = 256;

export const NOTHING: Strictness = { labels: [], acts: false };

/** What the tools of a session say of themselves; never changed once it is made, so that sessions can share it. */
export class ToolCatalogue {
  readonly #tools: ReadonlyMap<string, Strictness>;

  constructor(tools: ReadonlyMap<string, Strictness>) {
    this.#tools = tools;
  }

  of(tool: string): Strictness {
    return this.#tools.get(tool) ?? NOTHING;
  }

  get entries(): Iterable<readonly [string, Strictness]> {
    return this.#tools;
  }

  /** What it takes in memory, bytes. */
  get bytes(): number {
    return this.#tools.size * TOOL_BYTES;
  }
}

/** Makes catalogues, the same one for the same tools: ten thousand sessions of one agent know one list. */
export class Catalogues {
  readonly #shared = new Map<string, ToolCatalogue>();

  /** Null: the tools say nothing that counts. */
  of(tools: Iterable<ToldTool>): ToolCatalogue | null {
    const telling = new Map<string, Strictness>();
    for (const tool of tools) add(telling, tool);
    return telling.size === 0 ? null : this.#share(telling);
  }

  /** What was known, and this tool; the same catalogue where it adds nothing. What was said before is never taken back. */
  adding(known: ToolCatalogue | null, tool: ToldTool): ToolCatalogue | null {
    // Hosts say the same with each call: nothing is copied for that.
    if (!saysMore(stricterBy(tool.hints), known?.of(tool.name) ?? NOTHING)) return known;
    const telling = new Map(known?.entries ?? []);
    return add(telling, tool) ? this.#share(telling) : known;
  }

  #share(telling: ReadonlyMap<string, Strictness>): ToolCatalogue {
    const key = digestOf(telling);
    const catalogue = this.#shared.get(key) ?? new ToolCatalogue(telling);
    this.#shared.delete(key);
    this.#shared.set(key, catalogue);
    if (this.#shared.size > MAX_SHARED) this.#dropOldest();
    return catalogue;
  }

  #dropOldest(): void {
    for (const key of this.#shared.keys()) {
      this.#shared.delete(key);
      return;
    }
  }
}

function saysMore(said: Strictness, known: Strictness): boolean {
  return said.labels.some((label) => !known.labels.includes(label)) || (said.acts && !known.acts);
}

/** Of two tools of one name the stricter word counts. Whether it says more than was known. */
function add(telling: Map<string, Strictness>, { name, hints }: ToldTool): boolean {
  const said = stricterBy(hints);
  const known = telling.get(name) ?? NOTHING;
  if (
    !saysMore(said, known) ||
    name.length > MAX_TOOL_CHARS ||
    (!telling.has(name) && telling.size >= MAX_TOOLS)
  )
    return false;
  telling.set(name, both(known, said));
  return true;
}

export function both(a: Strictness, b: Strictness): Strictness {
  return { labels: [...new Set([...a.labels, ...b.labels])], acts: a.acts || b.acts };
}

function digestOf(tools: ReadonlyMap<string, Strictness>): string {
  const lines = [...tools].map(([name, { labels, acts }]) => JSON.stringify([name, labels.toSorted(), acts]));
  return createHash('sha256').update(lines.toSorted().join('\n')).digest('base64url');
}
