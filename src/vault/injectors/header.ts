import { byteString, faultOfFieldValue, type Injector, withHeader } from './injector.ts';

/** Fields that frame or route a message, or that the gate itself reads: a secret there would change them. */
const RESERVED: ReadonlySet<string> = new Set([
  'accept-encoding',
  'connection',
  'content-encoding',
  'content-length',
  'date',
  'dpop',
  'expect',
  'forwarded',
  'host',
  'http2-settings',
  'if-range',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'range',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
]);

/** RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}$/;

/** `<name>: <prefix><secret>`. */
export const header: Injector<{ readonly kind: 'header'; readonly name: string; readonly prefix: string }> = {
  faultOf({ name, prefix }) {
    if (!TOKEN.test(name)) return 'the header name is not a token of 1 to 64 characters (RFC 9110)';
    const lower = name.toLowerCase();
    if (RESERVED.has(lower) || lower.startsWith('sallyport-')) {
      return `the header ${lower} frames or routes the request, and can not carry a secret`;
    }
    if (!/^[\x20-\x7e]{0,64}$/.test(prefix) || prefix.startsWith(' ')) {
      return 'the prefix is not 0 to 64 printable ASCII characters that begin with no space';
    }
    return null;
  },
  faultOfSecret: faultOfFieldValue,
  inject: (spec, secret, draft) =>
    withHeader(draft, spec.name.toLowerCase(), `${spec.prefix}${byteString(secret)}`),
  derived: () => [],
};
