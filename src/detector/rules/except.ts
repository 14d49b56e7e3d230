import { Expression } from './expression.ts';
import type { Except } from './rule.ts';

/** Whether the value of a match is one that the rule leaves alone. */
export type Excepts = (value: string) => boolean;

export function compileExcept({ hosts = [], values = [], regex }: Except): Excepts {
  const known = new Set(values.map((value) => value.toLowerCase()));
  const names = new Set(hosts.filter((host) => !host.startsWith('*.')).map(lower));
  const suffixes = hosts.filter((host) => host.startsWith('*.')).map((host) => lower(host.slice(1)));
  const expression = regex === undefined ? null : new Expression(regex);
  return (value) => {
    if (known.has(value.toLowerCase())) return true;
    if (expression?.testWhole(value) === true) return true;
    if (hosts.length === 0) return false;
    const host = hostOf(value);
    return host !== null && (names.has(host) || suffixes.some((suffix) => host.endsWith(suffix)));
  };
}

const lower = (text: string): string => text.toLowerCase();

/**
 * The host that a program would go to for this value, as the URL standard reads it: `https://pypi.org@evil.example`
 * is evil.example, `pypi.org.evil.example` is itself. Null when it names none.
 */
export function hostOf(value: string): string | null {
  const bare = value.replace(/^[\s'"`]+|[\s'"`,;]+$/g, '');
  // What stands before :// may be any scheme (`git+ssh`): only what comes after it says where to.
  const rest = bare.replace(/^[a-z][a-z0-9+.-]*:\/\//i, '').replace(/^\/\//, '');
  if (rest === '' || /^[/\\]/.test(rest)) return null;
  try {
    const { hostname } = new URL(`http://${rest}`);
    return hostname === '' ? null : hostname.replace(/\.$/, '').replace(/^\[(.*)\]$/, '$1');
  } catch {
    // It names no host that any program could reach: then no allow-list covers it.
    return null;
  }
}
