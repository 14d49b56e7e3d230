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
 * Whether it is one of those that are registered, compared as text (RFC 9700 section 4.1.3). One exception: a program on
 * the user's machine does not choose its port, so a loopback address that is registered without one stands for all
 * (RFC 8252 section 7.3).
 */
export function isRegistered(uri: string, registered: readonly string[]): boolean {
  if (registered.includes(uri)) return true;
  const portless = loopbackWithoutPort(uri);
  return portless !== null && registered.includes(portless);
}

/** Whether the answer goes to a program on the user's own machine. */
export function isLoopback(uri: string): boolean {
  const url = URL.parse(uri);
  return url?.protocol === 'http:' && LOOPBACK.has(url.hostname);
}

/** The URI without its port, where it is one of a loopback address with a port, in the spelling that URL parsers give it. */
function loopbackWithoutPort(uri: string): string | null {
  const url = uri.length <= URI_CHARS && isLoopback(uri) ? URL.parse(uri) : null;
  if (url === null || url.port === '' || url.href !== uri || faultOf(uri) !== null) return null;
  url.port = '';
  return url.href;
}

function faultOf(uri: string): string | null {
  const url = uri.length <= URI_CHARS ? URL.parse(uri) : null;
  if (url === null || (url.href !== uri && url.href !== `${uri}/`)) {
    return 'must be a URL in the spelling that URL parsers give it';
  }
  if (uri.includes('#')) return 'must have no fragment';
  if (url.username !== '' || url.password !== '') return 'must have no user information';
  if (url.protocol === 'https:') return null;
  if (url.protocol === 'http:' && LOOPBACK.has(url.hostname)) return null;
  return 'must be https, or http to localhost, 127.0.0.1 or [::1]';
}
