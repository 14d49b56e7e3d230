/**
 * One character of a secret as a small trie: each path from the root to an accepting node is one way to
 * write that character. Nodes are shared by all places where the character stands, so that even a secret of
 * 16 KiB needs only as many tries as it has different characters.
 */
export interface GlyphNode {
  readonly id: number;
  readonly next: Map<number, GlyphNode>;
  accepts: boolean;
}

/** Makes nodes with ids that are unique within one set of needles. */
export class GlyphFactory {
  #nextId = 0;

  node(): GlyphNode {
    return { id: this.#nextId++, next: new Map(), accepts: false };
  }

  /** Spells one way to write the character: each element lists the bytes that may stand there. */
  spell(root: GlyphNode, spelling: readonly (readonly number[])[]): void {
    // A spelling whose elements offer both cases of a hex digit must end in the same node either way, or the
    // trie would double with every digit; `alike` keeps the branches of one element together.
    let node = root;
    for (const bytes of spelling) node = this.#alike(node, bytes);
    node.accepts = true;
  }

  /**
   * The same character with `breaks` allowed in front: what a line wrapper or a dumper puts between two
   * characters. At most one break, so that every spelling stays bounded; the tails are shared with `core`.
   */
  withBreaks(core: GlyphNode, breaks: readonly (readonly number[])[]): GlyphNode {
    const own = new Set<GlyphNode>();
    const copy = (node: GlyphNode): GlyphNode => {
      const made: GlyphNode = { ...this.node(), next: new Map(node.next), accepts: node.accepts };
      own.add(made);
      return made;
    };
    const root = copy(core);
    for (const bytes of [...breaks].sort((one, other) => one.length - other.length)) {
      let node = root;
      for (const byte of bytes) {
        const known = node.next.get(byte);
        const child = known === undefined ? this.node() : own.has(known) ? known : copy(known);
        own.add(child);
        node.next.set(byte, child);
        node = child;
      }
      for (const [byte, child] of core.next) if (!node.next.has(byte)) node.next.set(byte, child);
    }
    return root;
  }

  #alike(node: GlyphNode, bytes: readonly number[]): GlyphNode {
    let child: GlyphNode | undefined;
    for (const byte of bytes) child ??= node.next.get(byte);
    child ??= this.node();
    for (const byte of bytes) if (!node.next.has(byte)) node.next.set(byte, child);
    return child;
  }
}
