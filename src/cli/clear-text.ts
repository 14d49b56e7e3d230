const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

/** Whether what is sent to this URL could be read, and what comes back be changed, on a network. */
export function crossesNetworkInClear(url: URL): boolean {
  return url.protocol === 'http:' && !LOOPBACK.test(url.hostname);
}
