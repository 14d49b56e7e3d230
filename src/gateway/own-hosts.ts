/** A host as it stands in a URL. */
export function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** What a client may call the gate: its public name, and the address that it listens on. */
export function hostsOf(publicUrl: string, listenHost: string, port: number): ReadonlySet<string> {
  const { hostname, port: publicPort, protocol } = new URL(publicUrl);
  const named = `${hostname.replace(/^\[|\]$/g, '')}:${publicPort === '' ? (protocol === 'https:' ? 443 : 80) : publicPort}`;
  const loopback = ['127.0.0.1', '::1', 'localhost'].map((host) => `${host}:${port}`);
  return new Set([named, `${listenHost}:${port}`, ...loopback]);
}
