import { type AuditRecord, decodeRecord, GENESIS, RecordFault } from './record.ts';
import { leafHash, MerkleTree } from './tree.ts';

/** Where a chain stands: the last record, and the tree over everything up to it. */
export interface ChainEnd {
  readonly sequence: number;
  readonly hash: string;
  readonly node: string | null;
  readonly tree: MerkleTree;
}

/** Follows a log record by record; what doesn't follow is a RecordFault that says why. Pure. */
export class Chain {
  #end: ChainEnd;

  constructor(start: ChainEnd = emptyChain()) {
    this.#end = start;
  }

  get end(): ChainEnd {
    return this.#end;
  }

  accept(line: string): AuditRecord {
    const record = decodeRecord(line);
    const { sequence, hash, node, tree } = this.#end;
    if (record.sequence !== sequence + 1) {
      throw new RecordFault(`record ${sequence + 1} should stand here, and record ${record.sequence} does`);
    }
    if (record.previous !== hash) {
      throw new RecordFault(`the record does not follow record ${sequence} as it stands in the log`);
    }
    if (node !== null && record.node !== node) {
      throw new RecordFault(`the record is of node ${record.node}, the log of ${node}`);
    }
    tree.append(leafHash(line));
    this.#end = { sequence: record.sequence, hash: record.hash, node: record.node, tree };
    return record;
  }
}

export function emptyChain(): ChainEnd {
  return { sequence: 0, hash: GENESIS, node: null, tree: new MerkleTree() };
}
