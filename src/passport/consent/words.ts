import type { ArgumentConstraint, ToolCallDetail } from '../../proof/index.ts';

const DAY_SECONDS = 24 * 3600;

/** A scope (`github:read`) in words. */
export function scopeWords(scope: string): string {
  const at = scope.indexOf(':');
  return at < 0 ? scope : `${scope.slice(0, at)}: ${scope.slice(at + 1)}`;
}

/** One authorization detail in words: everything that bounds it. */
export function detailWords(detail: ToolCallDetail): string {
  const { max_calls, not_after } = detail;
  const parts = [
    whatIsCalled(detail),
    ...Object.entries(detail.arguments ?? {}).map(([name, constraint]) => argumentWords(name, constraint)),
    ...(max_calls === undefined ? [] : [max_calls === 1 ? 'once' : `${max_calls} times at most`]),
    ...(not_after === undefined ? [] : [`until ${momentWords(not_after * 1000)}`]),
  ];
  return parts.join(', ');
}

function whatIsCalled({ service, method, path, server, tool }: ToolCallDetail): string {
  if (service !== undefined) {
    const how = method === undefined ? 'any request' : `${method} requests`;
    return `${how} to ${service}${path === undefined ? '' : `, path ${path}`}`;
  }
  if (tool === undefined) return `any tool of the server ${server}`;
  return `the tool ${tool}${server === undefined ? '' : ` of the server ${server}`}`;
}

function argumentWords(name: string, { eq, prefix, min, max, ...rest }: ArgumentConstraint): string {
  const shown = (value: unknown) => (typeof value === 'string' ? `“${value}”` : JSON.stringify(value));
  const parts = [
    ...(eq === undefined ? [] : [`is ${shown(eq)}`]),
    ...(rest.in === undefined ? [] : [`is one of ${rest.in.map(shown).join(', ')}`]),
    ...(prefix === undefined ? [] : [`begins with ${shown(prefix)}`]),
    ...(min === undefined ? [] : [`is at least ${min}`]),
    ...(max === undefined ? [] : [`is at most ${max}`]),
  ];
  return `only where ${name} ${parts.join(' and ')}`;
}

export function momentWords(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** How long a grant lasts, in words. */
export function lifetimeWords(seconds: number): string {
  if (seconds === 0) return 'once, for a few minutes';
  const [count, unit] = seconds >= DAY_SECONDS ? [seconds / DAY_SECONDS, 'day'] : [seconds / 3600, 'hour'];
  const whole = Number.isInteger(count) ? String(count) : count.toFixed(1);
  return `for ${whole} ${unit}${count === 1 ? '' : 's'}`;
}
