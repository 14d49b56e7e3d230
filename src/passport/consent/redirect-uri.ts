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
