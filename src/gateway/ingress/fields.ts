import { type HeaderList, Refusal } from '../../core/index.ts';
import { claimsAnotherRequest, isProxyClaim } from './claim-fields.ts';

/** Fields that belong to one connection (RFC 9110 section 7.6.1), or that the gate sets itself. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
  'host',
  'content-length',
]);

/** Passports, proofs and proxy credentials: read by the gate, never sent on. */
const OURS: ReadonlySet<string> = new Set([
  'proxy-authorization',
  'proxy-authenticate',
  'proxy-authentication-info',
  'dpop',
  'sallyport-dpop',
]);

/** Options of Connection that name no field, or a hop-by-hop one. */
const CONNECTION_OPTIONS: ReadonlySet<string> = new Set(
  ['close', ...HOP_BY_HOP].filter(
    (name) => !['host', 'content-length', 'expect', 'transfer-encoding'].includes(name),
  ),
);

/**
 * Fields that the call's meaning hangs on. A Connection field that names one asks a proxy to drop it: that is
 * how CVE-2025-48865 took the trusted fields from a request, so such a request is refused.
 */
const PROTECTED: readonly string[] = [
  'host',
  'content-',
  'transfer-encoding',
  'authorization',
  'proxy-authorization',
  'proxy-authenticate',
  'dpop',
  'sallyport-',
  'x-sallyport-',
  'cookie',
  'expect',
  'forwarded',
  'x-forwarded-',
  'x-real-ip',
  'range',
  'if-',
  'accept-encoding',
];

/** Node gives the fields as name, value, name, value; here as pairs with lower-case names. */
export function toHeaderList(raw: readonly string[]): HeaderList {
  const list: (readonly [string, string])[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2)
    list.push([(raw[at] ?? '').toLowerCase(), raw[at + 1] ?? '']);
  return list;
}

export function valuesOf(headers: HeaderList, name: string): readonly string[] {
  const values: string[] = [];
  for (const [other, value] of headers) if (other === name) values.push(value);
  return values;
}

/** The names in the Connection fields, lower case. Throws `request_ambiguous` when one is protected. */
export function connectionOptions(headers: HeaderList): ReadonlySet<string> {
  const options = new Set<string>();
  for (const [name, value] of headers) {
    if (name !== 'connection') continue;
    for (const part of value.split(',')) {
      const option = part.trim().toLowerCase();
      if (option === '' || CONNECTION_OPTIONS.has(option)) continue;
      if (PROTECTED.some((one) => option === one || (one.endsWith('-') && option.startsWith(one)))) {
        throw new Refusal('request_ambiguous', {
          detail: `The Connection field names ${option}, which belongs to the request.`,
        });
      }
      options.add(option);
    }
  }
  return options;
}

/**
 * CGI-style upstreams read `X_Sallyport_Agent` as `X-Sallyport-Agent` (the class of CVE-2025-64484). A name
 * with an underscore that folds into a field with a meaning is refused.
 */
export function refuseFoldedNames(headers: HeaderList): void {
  for (const [name] of headers) {
    if (!name.includes('_')) continue;
    const folded = name.replaceAll('_', '-');
    if (
      HOP_BY_HOP.has(folded) ||
      claimsAnotherRequest(folded) ||
      PROTECTED.some((one) =>
        one.endsWith('-') ? folded.startsWith(one) : folded === one || folded.startsWith(`${one}-`),
      )
    ) {
      throw new Refusal('request_ambiguous', {
        detail: 'A field name holds an underscore and can be read as another field.',
      });
    }
  }
}

/**
 * The fields that go upstream: without hop-by-hop fields, without those that Connection names, without
 * passports and proofs, without what is for proxies to say. `passport` is the token that was shown: a field that holds it is dropped whatever its
 * name is.
 */
export function endToEndFields(
  headers: HeaderList,
  options: ReadonlySet<string>,
  passport: string | null,
): HeaderList {
  const kept: (readonly [string, string])[] = [];
  for (const field of headers) {
    const [name, value] = field;
    if (HOP_BY_HOP.has(name) || OURS.has(name) || options.has(name) || isProxyClaim(name)) continue;
    if (name === 'authorization' && /^dpop\s/i.test(value)) continue;
    if (passport !== null && value.includes(passport)) continue;
    kept.push(field);
  }
  return kept;
}

/** Fields of an answer that stay between the upstream and the gate. */
const ANSWER_HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'proxy-authenticate',
  'proxy-authentication-info',
  // The gate's own word: an upstream that says it must not pass for the gate.
  'sallyport-refusal',
  // Would lead the agent's client around the gate (RFC 7838).
  'alt-svc',
]);

/** The fields of an answer that go to the agent. */
export function answerFields(headers: HeaderList): HeaderList {
  const named = new Set<string>();
  for (const [name, value] of headers) {
    if (name === 'connection') for (const part of value.split(',')) named.add(part.trim().toLowerCase());
  }
  named.delete('content-length');
  named.delete('content-encoding');
  named.delete('set-cookie');
  return headers.filter(([name]) => !ANSWER_HOP_BY_HOP.has(name) && !named.has(name));
}
