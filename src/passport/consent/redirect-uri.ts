const MOST = 16;
const URI_CHARS = 512;
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** What is wrong with redirect URIs that an agent wants to register; empty: nothing. */
export function redirectFaults(uris: readonly string[]): string[] {
  const faults = uris.flatMap((uri, index) => {
    const fault = faultOf(uri);
    return fault === null ? [] : [`redirectUris[${index}]: ${fault}`];
  });
  if (uris.length > MOST) faults.push(`redirectUris: more than ${MOST}`);
  if (new Set(uris).size !== uris.length) faults.push('redirectUris: one stands twice');
  return faults;
}

/**
 * The registered URI that this one is, compared as text (RFC 9700 section 4.1.3). The one exception is the port of a
 * loopback address, which a program on the user's machine does not choose (RFC 8252 section 7.3).
 */
export function isRegistered(uri: string, registered: readonly string[]): boolean {
  if (registered.includes(uri)) return true;
  const asked = loopback(uri);
  return asked !== null && registered.some((one) => loopback(one) === asked);
}

/** Whether the answer goes to a program on the user's own machine. */
export function isLoopback(uri: string): boolean {
  return loopback(uri) !== null;
}

/** The URI without its port, where it is one of a loopback address in the one spelling that URL parsers give it. */
function loopback(uri: string): string | null {
  const url = URL.parse(uri);
  if (url === null || url.href !== uri || url.protocol !== 'http:' || !LOOPBACK.has(url.hostname))
    return null;
  url.port = '';
  return url.href;
}

function faultOf(uri: string): string | null {
  const url = uri.length <= URI_CHARS ? URL.parse(uri) : null;
  if (url === null || (url.href !== uri && url.href !== `${uri}/`)) {
    return 'must be a URL in the spelling that URL parsers give it';
  }
  if (url.hash !== '' || uri.includes('#')) return 'must have no fragment';
  if (url.username !== '' || url.password !== '') return 'must have no user information';
  if (url.protocol === 'https:') return null;
  if (url.protocol === 'http:' && LOOPBACK.has(url.hostname)) return null;
  return 'must be https, or http to localhost, 127.0.0.1 or [::1]';
}
