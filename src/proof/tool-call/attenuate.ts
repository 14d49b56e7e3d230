import { implies } from './constraint.ts';
import type { ToolCallDetail } from './detail.ts';

/**
 * For each detail that a child asks for, the index of the first of the parent's that it lies wholly within, or
 * null where there is none. A parent without details is bounded by its scope alone: every detail is narrower
 * (index -1).
 */
export function narrow(
  parent: readonly ToolCallDetail[],
  child: readonly ToolCallDetail[],
): readonly (number | null)[] {
  return child.map((detail) => {
    if (parent.length === 0) return -1;
    const found = parent.findIndex((one) => isWithin(detail, one));
    return found === -1 ? null : found;
  });
}

/** Whether every call that `child` covers is covered by `parent`, and no longer or more often. */
export function isWithin(child: ToolCallDetail, parent: ToolCallDetail): boolean {
  return (
    same(child.service, parent.service) &&
    same(child.server, parent.server) &&
    // A limit that is left out means more than the parent has.
    (parent.tool === undefined || child.tool === parent.tool) &&
    (parent.method === undefined || child.method === parent.method) &&
    (parent.path === undefined || (child.path !== undefined && isPathWithin(child.path, parent.path))) &&
    atMost(child.max_calls, parent.max_calls) &&
    atMost(child.not_after, parent.not_after) &&
    Object.entries(parent.arguments ?? {}).every(([path, constraint]) => {
      const own = child.arguments?.[path];
      return own !== undefined && implies(own, constraint);
    })
  );
}

/** Whether a path, or everything below one that ends in an asterisk, lies within another one. */
export function isPathWithin(child: string, parent: string): boolean {
  if (!parent.endsWith('/*')) return child === parent;
  return child.startsWith(parent.slice(0, -1));
}

/** A server says which tool is meant: without one it is another tool, not a wider one. */
function same(child: string | undefined, parent: string | undefined): boolean {
  return child === parent;
}

function atMost(child: number | undefined, parent: number | undefined): boolean {
  return parent === undefined || (child !== undefined && child <= parent);
}
