import type { Label } from './label.ts';

/**
 * What a tool says of itself in `tools/list` (MCP, ToolAnnotations): undefined where it says nothing. MCP's own word for
 * them is hints, and clients must not trust those of servers that they do not trust.
 */
export interface ToolHints {
  readonly readOnlyHint?: boolean;
  readonly destructiveHint?: boolean;
  readonly idempotentHint?: boolean;
  readonly openWorldHint?: boolean;
}

/** A tool as its server, or a recorded session, describes it. */
export interface ToldTool {
  readonly name: string;
  readonly hints: ToolHints;
}

/** What hints make stricter. `acts`: the tool does more than look, whatever its name says. */
export interface Strictness {
  readonly labels: readonly Label[];
  readonly acts: boolean;
}

/** The hints in an `annotations` member, whatever else stands there. */
export function hintsOf(annotations: unknown): ToolHints {
  if (typeof annotations !== 'object' || annotations === null) return {};
  const said = new Map<string, unknown>(Object.entries(annotations));
  return Object.fromEntries(
    NAMES.flatMap((name) => (typeof said.get(name) === 'boolean' ? [[name, said.get(name)]] : [])),
  );
}

const NAMES = ['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint'] as const;

/**
 * What may be taken from anybody's hints: only what makes things stricter, so that a server that lies gains nothing. An
 * open world is one where others write what the tool answers, and read what it is given.
 */
export function stricterBy(hints: ToolHints): Strictness {
  if (areDefaults(hints)) return { labels: [], acts: false };
  const labels: Label[] = [];
  if (hints.destructiveHint === true) labels.push('destructive');
  if (hints.openWorldHint === true) labels.push('untrusted-source', 'public-sink');
  return { labels, acts: hints.destructiveHint === true || hints.readOnlyHint === false };
}

/** The labels that the hints of a trusted server take away. */
export function milderBy({ readOnlyHint, destructiveHint }: ToolHints): readonly Label[] {
  if (readOnlyHint === true) return ['public-sink', 'destructive'];
  return destructiveHint === false ? ['destructive'] : [];
}

/** Some frameworks write MCP's defaults out for every tool: that says as little as leaving them out. */
function areDefaults(hints: ToolHints): boolean {
  return (
    hints.readOnlyHint === false &&
    hints.destructiveHint === true &&
    hints.idempotentHint === false &&
    hints.openWorldHint === true
  );
}
