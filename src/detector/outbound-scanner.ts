import type { Finding } from '../core/index.ts';
import { decoyFinding } from './decoy-finding.ts';
import type { DecoySet } from './decoy-set.ts';
import type { DecoySight } from './sessions/index.ts';

/** Watches a request body on its way out, whatever the chunks. */
export interface OutboundScanner {
  /** The decoy that ends in this chunk: the chunk must not leave. */
  push(chunk: Uint8Array): Finding | null;
  end(): Finding | null;
  /** There is nothing that it could find. */
  readonly idle?: boolean;
}

const NOTHING: OutboundScanner = { push: () => null, end: () => null, idle: true };

export function scanOutbound(
  set: DecoySet | null,
  sights: ReadonlyMap<string, DecoySight>,
  onFound: (finding: Finding) => void,
): OutboundScanner {
  if (set === null) return NOTHING;
  const search = set.search();
  return {
    push: (chunk) => {
      const [decoy] = search.push(chunk);
      if (decoy === undefined) return null;
      const finding = decoyFinding(decoy, 'request body', sights.get(decoy.id));
      onFound(finding);
      return finding;
    },
    // Nothing waits for the end: a decoy that is not whole is none.
    end: () => null,
  };
}
