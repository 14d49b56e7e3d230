import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { type Origin, Refusal } from '../../core/index.ts';

/** A host and port in canonical form: lower case, punycode, no trailing dot; IP literals in shortest form. */
export interface Authority {
  readonly host: string;
  /** Null: none was named. */
  readonly port: number | null;
}

const NAME = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
const NUMERIC_LABEL = /^(?:[0-9]+|0x[0-9a-f]*)$/;
const DIGITS = /^[0-9]{1,5}$/;

/**
 * Reads `host`, `host:port`, `[v6]` or `[v6]:port` (RFC 3986 section 3.2 without userinfo). Throws
 * `authority_invalid` for everything that two parsers could read as two hosts: userinfo, NUL, percent
 * escapes, spaces, zone ids, numbers that are no dotted quad.
 */
export function parseAuthority(text: string): Authority {
  if (text.length === 0 || text.length > MAX_CHARS) throw invalid('it is empty or too long');
  if (text.startsWith('[')) return parseBracketed(text);
  const colon = text.indexOf(':');
  if (colon !== text.lastIndexOf(':')) throw invalid('it has two colons; an IPv6 address needs brackets');
  const host = canonicalHost(colon < 0 ? text : text.slice(0, colon));
  return { host, port: colon < 0 ? null : parsePort(text.slice(colon + 1)) };
}

const MAX_CHARS = 1024;

function parseBracketed(text: string): Authority {
  const close = text.indexOf(']');
  if (close < 0) throw invalid('its bracket is not closed');
  const host = canonicalIpv6(text.slice(1, close));
  const rest = text.slice(close + 1);
  if (rest === '') return { host, port: null };
  if (!rest.startsWith(':')) throw invalid('something other than a port follows the bracket');
  return { host, port: parsePort(rest.slice(1)) };
}

/** A host name or IPv4 address in the one form that policy, DNS, TLS, audit and the wire all see. */
export function canonicalHost(raw: string): string {
  for (let at = 0; at < raw.length; at++) {
    const code = raw.charCodeAt(at);
    // Userinfo, delimiters, escapes and controls: `attacker.example\0.google.com` passes a suffix check.
    if (code <= 0x20 || code === 0x7f || DELIMITERS.has(code))
      throw invalid('it holds a character that no host has');
  }
  const lower = isPlainAscii(raw) ? raw.toLowerCase() : domainToASCII(raw.normalize('NFC'));
  const host = lower.endsWith('.') ? lower.slice(0, -1) : lower;
  if (host.length === 0 || host.length > 253) throw invalid('it is empty or too long');
  if (isIP(host) === 4) return host;
  if (!NAME.test(host)) throw invalid('it is not a host name');
  const last = host.slice(host.lastIndexOf('.') + 1);
  // `2130706433`, `0x7f.1`, `127.0.0.256`: what ends in a number is an address to some parsers (WHATWG URL).
  if (NUMERIC_LABEL.test(last)) throw invalid('it ends in a number and is not a dotted quad');
  if (host.includes('xn--') && domainToASCII(host) !== host) throw invalid('its punycode is not valid');
  return host;
}

const DELIMITERS = new Set([...'"#%/:<>?@[\\]^`{|}*,;!$&\'()+=~'].map((one) => one.charCodeAt(0)));

function isPlainAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}

function canonicalIpv6(raw: string): string {
  if (raw.includes('%') || isIP(raw) !== 6) throw invalid('what stands in brackets is not an IPv6 address');
  return new URL(`http://[${raw}]/`).hostname.slice(1, -1);
}

function parsePort(text: string): number {
  const port = DIGITS.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw invalid('its port is not a number from 1 to 65535');
  return port;
}

/** `host:port` with brackets around IPv6: the form of CONNECT targets and of `htu` in CONNECT proofs. */
export function formatAuthority(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** An absolute-form target (RFC 9112 section 3.2.2), cut without a URL parser that would repair it. */
export interface AbsoluteTarget {
  readonly origin: Origin;
  /** Path and query as they were sent; a slash when there is none. */
  readonly rest: string;
}

const ABSOLUTE = /^(https?):\/\/([^/?#\\]*)([^#\\]*)$/i;

/** Null: not an absolute form at all. Throws when it is one with a host that is not accepted. */
export function parseAbsoluteTarget(target: string): AbsoluteTarget | null {
  if (target.startsWith('/') || !target.includes(':')) return null;
  const parts = ABSOLUTE.exec(target);
  if (parts === null) throw invalid('the target is no absolute http or https URL');
  const scheme = parts[1]?.toLowerCase() === 'https' ? 'https' : 'http';
  // An empty port is allowed by RFC 3986 section 3.2.3 and means the default.
  const { host, port } = parseAuthority((parts[2] ?? '').replace(/:$/, ''));
  const rest = parts[3] ?? '';
  return {
    origin: { scheme, host, port: port ?? defaultPort(scheme) },
    rest: rest.startsWith('/') ? rest : `/${rest}`,
  };
}

export function defaultPort(scheme: Origin['scheme']): number {
  return scheme === 'https' ? 443 : 80;
}

function invalid(why: string): Refusal {
  return new Refusal('authority_invalid', { detail: `The host is not accepted: ${why}.` });
}
