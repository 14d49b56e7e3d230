/** Proxy variables; programs differ in which case they read. */
const PROXY_VARIABLES = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'];

/** Files that a program adds to what it trusts. */
const ADDED_TRUST_VARIABLES = ['NODE_EXTRA_CA_CERTS', 'DENO_CERT'];

/** Files that a program trusts instead of what it would trust otherwise. */
const WHOLE_TRUST_VARIABLES = [
  'SSL_CERT_FILE', // OpenSSL, Go, Ruby, uv, rustls-native-certs
  'REQUESTS_CA_BUNDLE', // Python requests
  'CURL_CA_BUNDLE', // curl, httpx
  'GIT_SSL_CAINFO',
  'PIP_CERT',
  'npm_config_cafile', // npm, pnpm
  'YARN_HTTPS_CA_FILE_PATH',
  'AWS_CA_BUNDLE',
  'CARGO_HTTP_CAINFO',
  'BUNDLE_SSL_CA_CERT',
  'CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE',
  'GRPC_DEFAULT_SSL_ROOTS_FILE_PATH',
  'HEX_CACERTS_PATH',
  'NIX_SSL_CERT_FILE',
  'PERL_LWP_SSL_CA_FILE',
];

/** Where the user's own certificates may stand; they go into our bundle. */
export const USER_TRUST_VARIABLES: readonly string[] = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE'];

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What makes a program call through the relay without being changed. Nothing is excepted from the proxy, not
 * even loopback: what the agent reaches past the gate, nobody sees.
 */
export function relayEnvironment(relay: {
  readonly proxyUrl: string;
  readonly authorityFile: string;
  readonly bundleFile: string;
  readonly hookSocket: string;
}): Record<string, string> {
  const environment: Record<string, string> = {
    // The one setting of ours that a child gets: where its hooks ask (sallyport hook run).
    SALLYPORT_HOOK_SOCKET: relay.hookSocket,
    NO_PROXY: '',
    no_proxy: '',
    // Node 22.21, 24 and newer take the proxy variables only when told to.
    NODE_USE_ENV_PROXY: '1',
    // libcurl inside git would ask the proxy for its methods first, and be refused once for each connection.
    GIT_HTTP_PROXY_AUTHMETHOD: 'basic',
  };
  for (const name of PROXY_VARIABLES) {
    environment[name] = relay.proxyUrl;
    environment[name.toLowerCase()] = relay.proxyUrl;
  }
  for (const name of ADDED_TRUST_VARIABLES) environment[name] = relay.authorityFile;
  for (const name of WHOLE_TRUST_VARIABLES) environment[name] = relay.bundleFile;
  return environment;
}

/**
 * The child's whole environment: the parent's without our own settings (they may name keys, or hold an admin
 * token), then the relay's.
 */
export function childEnvironment(parent: Environment, relay: Readonly<Record<string, string>>): Environment {
  const kept = Object.entries(parent).filter(([name]) => !/^SALLYPORT_/i.test(name));
  return { ...Object.fromEntries(kept), ...relay };
}
