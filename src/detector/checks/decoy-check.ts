import { canonicalJson } from '../../audit/index.ts';
import { type Call, type Finding, type JsonValue, LIMITS } from '../../core/index.ts';
import { decoyFinding } from '../decoys/index.ts';
import { type Check, NO_FINDINGS } from './check.ts';

/**
 * A decoy anywhere in the call: as it stands in one place, or however it is written and cut over several. Streamed bodies
 * are watched as they leave.
 */
export const decoyCheck: Check = ({ call, decoys, decoyTool, session }) => {
  if (decoyTool !== null) return [decoyTool];
  if (decoys === null) return NO_FINDINGS;
  const found = new Map<string, Finding>();
  for (const [where, bytes] of placesOf(call)) {
    for (const decoy of decoys.findIn(bytes, session.sid)) {
      if (!found.has(decoy.id))
        found.set(decoy.id, decoyFinding(decoy, where, session.decoysRead.get(decoy.id)));
    }
  }
  if (found.size > 0) return [...found.values()];
  const { found: hidden, unread } = decoys.findDeep(textsOf(call));
  if (hidden.length === 0 && unread) return UNSEARCHED;
  return hidden.map((decoy) =>
    decoyFinding(decoy, 'call, written otherwise or in pieces', session.decoysRead.get(decoy.id)),
  );
};

/** Who wants to hide a decoy can write more than anybody decodes: that is said, rather than passed over. */
const UNSEARCHED: readonly Finding[] = [
  {
    check: 'decoy.unsearched',
    title: 'There is more in the call than is decoded',
    severity: 'medium',
    score: 0.3,
    evidence:
      'No decoy stands in the call as it is. It holds more text, or more that looks packed, than is decoded to look for decoys in it.',
    references: ['OWASP-ASI:ASI01', 'ATLAS:AML.T0057'],
  },
];

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

/** What a call carries: its values one behind the other, and each by itself. */
function* textsOf(call: Call): Generator<string | Uint8Array> {
  if (call.kind === 'tool') {
    yield* joined(leavesOf(call.args));
    yield call.tool;
    return;
  }
  const { host } = call.origin;
  const query = [...new URLSearchParams(call.query).values()];
  yield `${host}${call.path}`;
  yield call.query;
  yield* joined(query);
  const fields = call.headers.map(([, value]) => value);
  yield* joined(fields);
  if (call.body.kind === 'buffered') yield* bodyTexts(call.body.bytes);
}

function* bodyTexts(bytes: Uint8Array): Generator<string | Uint8Array> {
  const text = Buffer.from(bytes.subarray(0, LIMITS.decideBodyBytes)).toString('utf8');
  yield text;
  yield bytes;
  try {
    yield* joined(leavesOf(JSON.parse(text)));
  } catch {
    // No JSON: forms and multipart bodies are found in pieces.
  }
}

/** No coding reads on over this: between values, each begins anew. */
const BORDER = '\r';

function* joined(values: readonly string[]): Generator<string> {
  yield values.join('');
  yield values.join(BORDER);
}

/** The values of JSON, in their order, without the names of members. */
function leavesOf(root: JsonValue): readonly string[] {
  const leaves: string[] = [];
  const walk = (value: JsonValue, depth: number): void => {
    if (depth > LIMITS.jsonDepth) return;
    if (value !== null && typeof value === 'object') {
      for (const member of Object.values(value)) walk(member, depth + 1);
    } else leaves.push(String(value));
  };
  walk(root, 0);
  return leaves;
}
