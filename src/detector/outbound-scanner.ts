import type { Finding, NeedleHit } from '../core/index.ts';
import { type DecoySet, decoyFinding } from './decoys.ts';

/** Watches a request body on its way out, whatever the chunks. */
export interface OutboundScanner {
  /** The decoy that ends in this chunk: the chunk must not leave. */
  push(chunk: Uint8Array): Finding | null;
  /** The decoy that the end of the body cut off. */
  end(): Finding | null;
}

const NOTHING: OutboundScanner = { push: () => null, end: () => null };

export function scanOutbound(set: DecoySet | null, onFound: (finding: Finding) => void): OutboundScanner {
  if (set === null) return NOTHING;
  const matcher = set.needles.matcher();
  const toFinding = (hits: readonly NeedleHit[]): Finding | null => {
    const decoy = hits[0] === undefined ? undefined : set.decoys[hits[0].secret];
    if (decoy === undefined) return null;
    const finding = decoyFinding(decoy, 'request body');
    onFound(finding);
    return finding;
  };
  return { push: (chunk) => toFinding(matcher.push(chunk)), end: () => toFinding(matcher.end()) };
}
