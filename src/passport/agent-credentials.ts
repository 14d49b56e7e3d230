/** Else a copy would take the other way. */
export const RATCHET_ALONE =
  'An agent whose keys give way with each use has keys alone: no secret and no certificate.';
const NEEDS_CREDENTIAL =
  'An agent needs a public key, a certificate or a client secret, unless it is a public client.';
export const PUBLIC_ALONE =
  'A public client has no key, certificate or secret, and needs redirectUris or device: it acts for people alone.';

/** Which rule about credentials is broken, or null. */
export function credentialFault(o: {
  readonly credentials: number;
  /** Whether it has a way to ask people. */
  readonly forPeople: boolean;
  readonly publicClient: boolean;
}): string | null {
  if (o.publicClient) return o.credentials > 0 || !o.forPeople ? PUBLIC_ALONE : null;
  return o.credentials === 0 ? NEEDS_CREDENTIAL : null;
}
