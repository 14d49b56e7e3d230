import type { JsonValue } from '../../core/index.ts';
import { argumentAt, parseArgumentPath } from './argument-path.ts';
import { isPathWithin } from './attenuate.ts';
import { type ArgumentConstraint, satisfies } from './constraint.ts';
import type { ToolCallDetail } from './detail.ts';

/** Pairs of a query or a form, in the order of the wire. */
export type Pairs = readonly (readonly [name: string, value: string])[];

/** A call as a detail looks at it. */
export type AttemptedCall =
  | {
      readonly kind: 'http';
      readonly service: string;
      readonly method: string;
      readonly path: string;
      readonly query: Pairs;
      /** Null where the body was not read, or is of a kind that is not understood. */
      readonly body: { readonly json: JsonValue } | { readonly form: Pairs } | null;
    }
  | { readonly kind: 'tool'; readonly tool: string; readonly args: JsonValue };

/** Whether the detail covers the call at `now` (ms). How often it did before is counted elsewhere. */
export function covers(detail: ToolCallDetail, call: AttemptedCall, now: number): boolean {
  if (detail.not_after !== undefined && now / 1000 >= detail.not_after) return false;
  if (!namesCall(detail, call)) return false;
  return Object.entries(detail.arguments ?? {}).every(([name, constraint]) => {
    const path = parseArgumentPath(name);
    return call.kind === 'tool'
      ? satisfies(argumentAt(call.args, path), constraint)
      : satisfiesHttp(call, path, constraint);
  });
}

/** Whether the detail is about this service, method and path, or about this tool, whatever the arguments are. */
export function namesCall(detail: ToolCallDetail, call: AttemptedCall): boolean {
  if (call.kind === 'tool') return detail.service === undefined && namesTool(detail, call.tool);
  return (
    detail.service === call.service &&
    (detail.method === undefined || detail.method === call.method) &&
    (detail.path === undefined || isPathWithin(call.path, detail.path))
  );
}

/** Hosts name the tools of an MCP server `mcp__<server>__<tool>`. */
function namesTool({ server, tool }: ToolCallDetail, called: string): boolean {
  if (server === undefined) return tool === called;
  const prefix = `mcp__${server}__`;
  return tool === undefined ? called.startsWith(prefix) : called === `${prefix}${tool}`;
}

function satisfiesHttp(
  call: Extract<AttemptedCall, { kind: 'http' }>,
  [place, ...path]: readonly string[],
  constraint: ArgumentConstraint,
): boolean {
  if (place === 'query') return satisfiesPairs(call.query, path, constraint);
  if (call.body === null) return false;
  return 'json' in call.body
    ? satisfies(argumentAt(call.body.json, path), constraint)
    : satisfiesPairs(call.body.form, path, constraint);
}

/** A name that stands twice must satisfy both times: which one the service reads is its own affair. */
function satisfiesPairs(pairs: Pairs, path: readonly string[], constraint: ArgumentConstraint): boolean {
  const [name, ...deeper] = path;
  const values = pairs.filter(([one]) => one === name).map(([, value]) => value);
  return (
    deeper.length === 0 && values.length > 0 && values.every((value) => satisfiesText(value, constraint))
  );
}

/** Values of a query or a form are texts: numbers, true, false and null are compared as they are written. */
function satisfiesText(text: string, constraint: ArgumentConstraint): boolean {
  const { eq, in: choices, prefix, max, min } = constraint;
  if (eq !== undefined && text !== String(eq)) return false;
  if (choices?.some((choice) => String(choice) === text) === false) return false;
  if (prefix !== undefined && !text.startsWith(prefix)) return false;
  const number = NUMBER.test(text) ? Number(text) : Number.NaN;
  return (max === undefined || number <= max) && (min === undefined || number >= min);
}

const NUMBER = /^-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?$/;
