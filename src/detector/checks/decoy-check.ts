import { canonicalJson } from '../../audit/index.ts';
import type { Call, Finding } from '../../core/index.ts';
import { decoyFinding } from '../decoy-finding.ts';
import { type Check, NO_FINDINGS } from './check.ts';

/** A decoy anywhere in the call, in any encoding that is searched for. Streamed bodies are watched as they leave. */
export const decoyCheck: Check = ({ call, decoys, session }) => {
  if (decoys === null) return NO_FINDINGS;
  const found = new Map<string, Finding>();
  for (const [where, bytes] of placesOf(call)) {
    for (const decoy of decoys.findIn(bytes)) {
      if (!found.has(decoy.id))
        found.set(decoy.id, decoyFinding(decoy, where, session.decoysRead.get(decoy.id)));
    }
  }
  return [...found.values()];
};

function* placesOf(call: Call): Generator<readonly [where: string, bytes: Uint8Array]> {
  if (call.kind === 'tool') {
    // Canonical JSON has no space between tokens: a decoy stands in it as a whole, behind its escapes.
    yield ['arguments', Buffer.from(`${call.tool}\n${canonicalJson(call.args)}`, 'utf8')];
    return;
  }
  yield ['URL', Buffer.from(`${call.origin.host}${call.path}?${call.query}`, 'utf8')];
  // One text with a border between fields: a decoy can't begin in one field and end in the next.
  yield [
    'header fields',
    Buffer.from(call.headers.map(([name, value]) => `${name}: ${value}`).join('\n'), 'latin1'),
  ];
  if (call.body.kind === 'buffered') yield ['request body', call.body.bytes];
}
