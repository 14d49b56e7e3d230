/** What each intercepting peer is started with. */
export interface PeerInput {
  /** Fake; put into Authorization. */
  readonly secret: string;
  /** PEM that the upstream's certificate chains to. */
  readonly upstreamCa: string;
  /** Put the secret into plain http as well. */
  readonly plain?: boolean;
}

/** The npm peers, and what they leave out that the gate does on each request. */
export const NPM_PEERS = [
  {
    name: 'sandbox-runtime',
    script: 'peers/sandbox-runtime.ts',
    specifier: '@anthropic-ai/sandbox-runtime',
    note: 'no passport, no policy for each call, no scrubbing of answers, no record',
  },
  {
    name: 'http-mitm-proxy',
    script: 'peers/http-mitm-proxy.ts',
    specifier: 'http-mitm-proxy',
    note: 'no passport, no policy, no private-address rules, no scrubbing, no record',
  },
  {
    name: 'mockttp',
    script: 'peers/mockttp.ts',
    specifier: 'mockttp',
    note: 'a test tool; no passport, no policy, no private-address rules, no scrubbing, no record (recording off)',
  },
] as const;
