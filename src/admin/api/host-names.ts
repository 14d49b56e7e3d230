/**
 * The names under which a client may address the control plane. A page that a browser loaded from an
 * attacker's name, rebound to 127.0.0.1, sends that name as Host (DNS rebinding) and is turned away.
 */
export function controlHostNames(control: {
  readonly host: string;
  readonly publicUrl: string | null;
}): readonly string[] {
  const names = new Set(['127.0.0.1', 'localhost', '[::1]']);
  const bound = bracket(control.host.toLowerCase());
  if (bound !== '0.0.0.0' && bound !== '[::]') names.add(bound);
  if (control.publicUrl !== null) names.add(new URL(control.publicUrl).hostname);
  return [...names];
}

/** Whether a Host field names one of ours; the port says nothing about who wrote the page. */
export function isOwnHost(field: string | undefined, names: readonly string[]): boolean {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i.exec(field ?? '');
  return match?.[1] !== undefined && names.includes(match[1].toLowerCase());
}

function bracket(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}
