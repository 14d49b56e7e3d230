import { z } from 'zod';
import { type JsonObject, type JsonValue, LIMITS } from '../core/index.ts';
import { HookInputError } from './message.ts';

const object: z.ZodType<JsonObject> = z.record(z.string(), z.json());

/** What every host's messages have. Further members are the host's business. */
const envelope = z.looseObject({
  hook_event_name: z.string().min(1).max(128),
  session_id: z.string().max(512).default(''),
});

export const toolFields = z.looseObject({
  tool_name: z.string().min(1).max(512),
  tool_input: object.default({}),
  tool_use_id: z.string().max(512).default(''),
});

export interface Envelope {
  readonly event: string;
  readonly sessionId: string;
  readonly members: JsonObject;
}

/** Reads what all hosts have in common. Throws HookInputError. */
export function readEnvelope(stdin: string): Envelope {
  if (stdin.length > LIMITS.decideBodyBytes) throw new HookInputError('it is too large');
  if (stdin.trim() === '') throw new HookInputError('it is empty');
  let value: unknown;
  try {
    value = JSON.parse(stdin);
  } catch {
    throw new HookInputError('it is no JSON');
  }
  const members = check(object, value);
  const { hook_event_name, session_id } = check(envelope, members);
  return { event: hook_event_name, sessionId: session_id, members };
}

/** Throws HookInputError that names the first member that is wrong. */
export function check<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  const where = first === undefined || first.path.length === 0 ? 'it' : first.path.join('.');
  throw new HookInputError(`${where} is not as this host sends it (${first?.message ?? 'unknown'})`);
}

/** The text of a tool's answer, whatever shape the host gives it. */
export function textOfResult(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : stringsOf(value, 0).join('\n');
}

function stringsOf(value: JsonValue, depth: number): readonly string[] {
  if (depth > LIMITS.jsonDepth || value === null) return [];
  if (typeof value === 'object') return Object.values(value).flatMap((one) => stringsOf(one, depth + 1));
  return [String(value)];
}
