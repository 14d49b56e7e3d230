import { canonicalJson } from '../../audit/index.ts';
import type { Call, Finding } from '../../core/index.ts';
import { type DecoySet, decoyFinding } from '../decoys.ts';
import { type Check, NO_FINDINGS } from './check.ts';

/** A decoy anywhere in the call, in any encoding that is searched for. Streamed bodies are watched as they leave. */
export const decoyCheck: Check = ({ call, decoys }) => {
  if (decoys === null) return NO_FINDINGS;
  const found = new Map<number, Finding>();
  for (const [where, text] of placesOf(call)) {
    for (const secret of secretsIn(decoys, text)) {
      const decoy = decoys.decoys[secret];
      if (decoy !== undefined && !found.has(secret)) found.set(secret, decoyFinding(decoy, where));
    }
  }
  return [...found.values()];
};

function secretsIn(set: DecoySet, bytes: Uint8Array): ReadonlySet<number> {
  const matcher = set.needles.matcher();
  const hits = [...matcher.push(bytes), ...matcher.end()];
  return new Set(hits.map((hit) => hit.secret));
}

function* placesOf(call: Call): Generator<readonly [where: string, bytes: Uint8Array]> {
  if (call.kind === 'tool') {
    yield ['arguments', Buffer.from(canonicalJson(call.args), 'utf8')];
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
