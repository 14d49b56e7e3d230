import type { JsonValue } from '../../core/index.ts';
import { ProofFault } from '../fault.ts';

const CHARS = 128;
const SEGMENTS = 16;

/**
 * Where an argument stands: member names joined by dots, indices of arrays as numbers (`labels.0`). A dot or a
 * backslash inside a name stands behind a backslash, so that `{"a.b": 1}` is not `{"a": {"b": 1}}`. Throws
 * ProofFault.
 */
export function parseArgumentPath(name: string): readonly string[] {
  const segments = [''];
  for (let at = 0; at < name.length; at += 1) {
    const character = name[at] ?? '';
    const escaped = character === '\\';
    if (escaped) at += 1;
    const literal = name[at];
    if (literal === undefined || (escaped && literal !== '.' && literal !== '\\')) throw unreadable();
    if (!escaped && literal === '.') segments.push('');
    else segments.push(`${segments.pop() ?? ''}${literal}`);
  }
  if (name.length > CHARS || segments.length > SEGMENTS || segments.includes('')) throw unreadable();
  return segments;
}

/** What stands there, or undefined. Looks at own members alone: `constructor` is nobody's argument. */
export function argumentAt(value: JsonValue | undefined, path: readonly string[]): JsonValue | undefined {
  let found = value;
  for (const segment of path) {
    if (found === null || typeof found !== 'object' || !Object.hasOwn(found, segment)) return undefined;
    if (Array.isArray(found) && !/^(?:0|[1-9][0-9]{0,8})$/.test(segment)) return undefined;
    found = (found as Readonly<Record<string, JsonValue>>)[segment];
  }
  return found;
}

function unreadable(): ProofFault {
  return new ProofFault(
    'details',
    'An argument of a tool_call is not named as docs/reference/passport.md says.',
  );
}
