/** What takes part in the budget. */
export interface Kept {
  /** Whose share it is in. */
  readonly group: string;
  readonly bytes: number;
  readonly rung: Rung;
}

/**
 * In which order a group gives up: first the detail of the session that was quiet longest, then sessions that nothing
 * was ever said of, and those with findings last.
 */
export type Rung = (typeof RUNGS)[number];
const RUNGS = ['detailed', 'cold', 'hot'] as const;

interface Group<T> {
  bytes: number;
  readonly rungs: Readonly<Record<Rung, Set<T>>>;
}

/** After an eviction so much of the budget is free again, so that not every call has to look for room. */
const FREE_SHARE = 0.01;

/**
 * One budget of bytes for many sessions, shared fairly: whoever takes most gives up first, so that a flood of one
 * agent's sessions costs the flood's own memory and nobody else's.
 */
export class SessionMemory<T> {
  readonly #budget: number;
  readonly #evict: (item: T, rung: Rung) => void;
  readonly #groups = new Map<string, Group<T>>();
  readonly #items = new Map<T, Kept>();
  #bytes = 0;

  /** `evict` makes the item smaller, or removes it; it tells the outcome by `keep` or `remove`. */
  constructor(o: { readonly budget: number; readonly evict: (item: T, rung: Rung) => void }) {
    this.#budget = o.budget;
    this.#evict = o.evict;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Counts an item as it is now, as the one used last. */
  keep(item: T, kept: Kept): void {
    this.remove(item);
    const group = this.#groups.get(kept.group) ?? {
      bytes: 0,
      rungs: { detailed: new Set<T>(), cold: new Set<T>(), hot: new Set<T>() },
    };
    this.#groups.set(kept.group, group);
    group.rungs[kept.rung].add(item);
    group.bytes += kept.bytes;
    this.#items.set(item, kept);
    this.#bytes += kept.bytes;
  }

  remove(item: T): void {
    const kept = this.#items.get(item);
    if (kept === undefined) return;
    this.#items.delete(item);
    this.#bytes -= kept.bytes;
    const group = this.#groups.get(kept.group);
    if (group === undefined) return;
    group.rungs[kept.rung].delete(item);
    group.bytes -= kept.bytes;
    if (RUNGS.every((rung) => group.rungs[rung].size === 0)) this.#groups.delete(kept.group);
  }

  /** Makes room when there is too much; never by giving up `current` as long as there is anything else. */
  fit(current: T): void {
    if (this.#bytes <= this.#budget) return;
    const target = this.#budget * (1 - FREE_SHARE);
    while (this.#bytes > target) {
      const found = this.#next(current);
      if (found === null) return;
      this.#evict(found.item, found.rung);
    }
  }

  #next(current: T): { readonly item: T; readonly rung: Rung } | null {
    let largest: Group<T> | null = null;
    for (const group of this.#groups.values()) {
      if ((largest === null || group.bytes > largest.bytes) && !isOnly(group, current)) largest = group;
    }
    for (const rung of RUNGS) {
      for (const item of largest?.rungs[rung] ?? []) if (item !== current) return { item, rung };
    }
    return null;
  }
}

function isOnly<T>({ rungs }: Group<T>, item: T): boolean {
  let size = 0;
  for (const rung of RUNGS) size += rungs[rung].size;
  return size === 1 && RUNGS.some((rung) => rungs[rung].has(item));
}
