import type { Finding } from '../../core/index.ts';
import type { DecoySight } from '../sessions/index.ts';
import type { DecoySet } from './decoy-set.ts';
import { decoyFinding } from './finding.ts';

/** Watches a request body on its way out, whatever the chunks. */
export interface OutboundScanner {
  /** The decoy that ends in this chunk: the chunk must not leave. */
  push(chunk: Uint8Array): Finding | null;
  end(): Finding | null;
  /** There is nothing that it could find. */
  readonly idle?: boolean;
}

const NOTHING: OutboundScanner = { push: () => null, end: () => null, idle: true };

export function scanOutbound(o: {
  readonly set: DecoySet | null;
  readonly sid: string;
  readonly sights: ReadonlyMap<string, DecoySight>;
  readonly onFound: (finding: Finding) => void;
}): OutboundScanner {
  if (o.set === null) return NOTHING;
  const search = o.set.search(o.sid);
  return {
    push: (chunk) => {
      const [decoy] = search.push(chunk);
      if (decoy === undefined) return null;
      const finding = decoyFinding(decoy, 'request body', o.sights.get(decoy.id));
      o.onFound(finding);
      return finding;
    },
    // Nothing waits for the end: a decoy that is not whole is none.
    end: () => null,
  };
}
