import type { Clock, SecretBytes, ServiceDirectory } from '../../core/index.ts';
import type { VerifiedPassport } from '../../passport/index.ts';
import { CertificateAuthority } from './certificate-authority.ts';
import { sessionKey } from './session-key.ts';

const LIFETIME_MS = 24 * 60 * 60_000;
const MAX_SESSIONS = 4096;

/**
 * Short-lived authorities for `sallyport run`: one a session, constrained to the hosts of the services that
 * its passport names. Their keys are derived from the vault's, never stored: after a restart, on another node, and
 * when its hosts change, a session's authority signs with the key that its programs trust already.
 */
export class SessionAuthorities {
  readonly #clock: Clock;
  readonly #deriveKey: (names: readonly string[]) => SecretBytes;
  readonly #bySession = new Map<string, CertificateAuthority>();

  constructor(o: { readonly clock: Clock; readonly deriveKey: (names: readonly string[]) => SecretBytes }) {
    this.#clock = o.clock;
    this.#deriveKey = o.deriveKey;
  }

  /** The session's authority for these hosts; the same one again while half of its life is left. */
  async issue(passport: VerifiedPassport, hosts: readonly string[]): Promise<CertificateAuthority> {
    const key = keyOf(passport);
    const now = this.#clock.now();
    const known = this.#bySession.get(key);
    if (known !== undefined && known.expiresAt - now > LIFETIME_MS / 2 && sameHosts(known.hosts, hosts))
      return known;
    this.#forgetExpired(now);
    const { tenant, sid } = passport.subject;
    using seed = this.#deriveKey(['gateway/session-authority', tenant, sid]);
    const { authority } = await CertificateAuthority.make({
      keys: await sessionKey(seed),
      name: `Sallyport session ${passport.subject.sid.slice(0, 40)}`,
      hosts,
      lifetimeMs: LIFETIME_MS,
      now,
    });
    this.#bySession.set(key, authority);
    return authority;
  }

  /** The live authority of the session that may name this host; null: there is none. */
  of(passport: VerifiedPassport, host: string): CertificateAuthority | null {
    const authority = this.#bySession.get(keyOf(passport));
    if (authority === undefined || authority.expiresAt <= this.#clock.now()) return null;
    return authority.hosts.has(host) ? authority : null;
  }

  #forgetExpired(now: number): void {
    for (const [key, authority] of this.#bySession) {
      if (authority.expiresAt <= now || this.#bySession.size >= MAX_SESSIONS) this.#bySession.delete(key);
    }
  }
}

function keyOf({ subject }: VerifiedPassport): string {
  return `${subject.tenant}\n${subject.sid}`;
}

function sameHosts(one: ReadonlySet<string>, other: readonly string[]): boolean {
  return one.size === other.length && other.every((host) => one.has(host));
}

/** The https hosts of the services that a passport's scopes name (`<service>:<access>`), sorted. */
export function hostsOfPassport(
  { scopes, subject }: VerifiedPassport,
  services: Pick<ServiceDirectory, 'byName'>,
): string[] {
  const hosts = new Set<string>();
  for (const scope of scopes) {
    const colon = scope.indexOf(':');
    const service = colon < 0 ? null : services.byName(subject.tenant, scope.slice(0, colon));
    for (const origin of service?.origins ?? []) if (origin.scheme === 'https') hosts.add(origin.host);
  }
  return [...hosts].sort();
}
