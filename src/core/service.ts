/** How a credential is put into a request. `injectors/` in the vault room has one file a kind. */
export type InjectorSpec =
  | { readonly kind: 'bearer' }
  | { readonly kind: 'basic'; readonly username: string }
  | { readonly kind: 'header'; readonly name: string; readonly prefix: string }
  | { readonly kind: 'query'; readonly name: string };

/** One place that a service lives at. Host is lower case, ASCII (punycode), without a trailing dot. */
export interface Origin {
  readonly scheme: 'https' | 'http';
  readonly host: string;
  readonly port: number;
}

/** An upstream that the gate knows. */
export interface Service {
  readonly tenant: string;
  /** Unique in the tenant; `[a-z0-9][a-z0-9-]{0,62}`; stands in `/s/<name>/` and in scopes. */
  readonly name: string;
  /** The first one is where reverse mode goes. No origin belongs to two services of a tenant. */
  readonly origins: readonly Origin[];
  /** Name of the credential to inject; null for a service that needs none. */
  readonly credential: string | null;
  /** `opaque`: `%2F` in a path is one opaque byte for policy and wire alike; `refuse`: it is refused. */
  readonly encodedSlash: 'refuse' | 'opaque';
  /** Allows addresses in private, loopback and link-local ranges (never cloud metadata). */
  readonly allowPrivate: boolean;
  /** PEM of the certificate authority that the upstream's certificate must chain to; null: the system's. */
  readonly upstreamCa: string | null;
  /** Read the body before deciding, so that policy, approval and rules see it. */
  readonly inspectBody: boolean;
}

/** Look-ups by the data plane: in memory, current at once after a change. */
export interface ServiceDirectory {
  byName(tenant: string, name: string): Service | null;
  byOrigin(tenant: string, origin: Origin): Service | null;
  /** Grows with every change; caches that were built from an older one are stale. */
  readonly generation: number;
}

export function formatOrigin(origin: Origin): string {
  const host = origin.host.includes(':') ? `[${origin.host}]` : origin.host;
  const standard = origin.scheme === 'https' ? 443 : 80;
  return origin.port === standard
    ? `${origin.scheme}://${host}`
    : `${origin.scheme}://${host}:${origin.port}`;
}
