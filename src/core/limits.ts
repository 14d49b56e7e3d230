/** Every limit of the product, in one place. Settings may lower most of them; none may be raised past these. */
export const LIMITS = {
  /** Request and response head, bytes. */
  headBytes: 32 * 1024,
  headerFields: 128,
  /** Longest request target, characters. */
  targetChars: 16 * 1024,
  /** Longest path, characters: what common servers take at least, and no more. */
  pathChars: 4096,
  /** Bodies that are read before deciding (held calls, body policies), bytes. */
  inspectBodyBytes: 1024 * 1024,
  /** Body of `/v1/decide` and `/v1/observe`, bytes. */
  decideBodyBytes: 4 * 1024 * 1024,
  /** Body of an admin request, bytes. */
  adminBodyBytes: 256 * 1024,
  /** Longest passport that is looked at, characters. */
  passportChars: 8 * 1024,
  /** Longest DPoP proof that is looked at, characters. */
  proofChars: 4 * 1024,
  /** Nesting of JSON from outside. */
  jsonDepth: 32,
  /** Hops in a delegation chain. */
  chainHops: 8,
  /** Authorization details of one passport: how many, how long as JSON, and how many arguments each names. */
  details: 16,
  detailsChars: 3072,
  detailArguments: 16,
  /** A secret, bytes. Shorter ones make scrubbing hit by chance. */
  secretMinBytes: 8,
  secretMaxBytes: 16 * 1024,
  /** Chunk-extension and trailer sizes, bytes. */
  trailerBytes: 8 * 1024,
  /** Ratio of a decoded response to its coded size beyond the first megabyte: decompression bombs. */
  decodeRatio: 200,
  /** A record of the audit log, bytes. */
  auditRecordBytes: 256 * 1024,
  /** Records that wait for the disk; more are refused. */
  auditQueue: 8192,
  /** Open tunnels and calls in flight for one agent. */
  tunnelsPerAgent: 256,
  callsInFlightPerAgent: 512,
  /** Evidence text in a finding, characters. */
  evidenceChars: 400,
} as const;
