import { z } from 'zod';
import { type JsonValue, LIMITS, Refusal } from '../../core/index.ts';
import type { BodySource } from '../ingress/body-source.ts';

const id = z.string().min(1).max(256);

/** What hooks and SDKs send to `/v1/decide` and `/v1/observe` (docs/reference/gateway.md). */
export const hookBodySchema = z
  .strictObject({
    sessionId: id,
    phase: z.enum(['instruction', 'call', 'result']),
    callId: id,
    tool: z.string().min(1).max(256).default('-'),
    args: z.json().default(null),
    text: z.string().default(''),
    annotations: z
      .record(z.string(), z.json())
      .default({})
      .describe('What the tool says of itself (MCP, ToolAnnotations): `destructiveHint` and the others.'),
    replaceable: z.boolean().default(false).describe('Whether the agent can be given another result.'),
  })
  .meta({
    examples: [
      {
        sessionId: 'host-session',
        phase: 'call',
        callId: 'call-1',
        tool: 'send_mail',
        args: { to: 'a@example.com' },
      },
    ],
  });

export interface HookBody {
  readonly sessionId: string;
  readonly phase: 'instruction' | 'call' | 'result';
  readonly callId: string;
  readonly tool: string;
  readonly args: JsonValue;
  readonly text: string;
  /** What the tool says of itself; nothing of it is checked yet. */
  readonly annotations: Readonly<Record<string, JsonValue>>;
  /** Whether whoever asks can give the agent another result to read. */
  readonly replaceable: boolean;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Throws `input_invalid` with all faults, `body_too_large`. */
export async function readHookBody(source: BodySource): Promise<HookBody> {
  const bytes = await source.buffer(LIMITS.decideBodyBytes);
  const result = hookBodySchema.safeParse(parseJson(bytes));
  if (!result.success) {
    throw invalid(result.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`));
  }
  return result.data as HookBody;
}

function parseJson(bytes: Uint8Array): unknown {
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(bytes));
  } catch {
    throw invalid(['body: is not JSON']);
  }
  if (depthOf(value) > LIMITS.jsonDepth) throw invalid(['body: is nested too deep']);
  return value;
}

/** Nesting without recursion: the input decides how deep it goes. */
function depthOf(root: unknown): number {
  let depth = 0;
  let level: unknown[] = [root];
  while (level.length > 0 && depth <= LIMITS.jsonDepth) {
    level = level.flatMap((value) =>
      typeof value === 'object' && value !== null ? Object.values(value) : [],
    );
    depth += 1;
  }
  return depth;
}

function invalid(errors: readonly string[]): Refusal {
  return new Refusal('input_invalid', { extra: { errors } });
}
