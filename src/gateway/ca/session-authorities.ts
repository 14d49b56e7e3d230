import type { Clock, Service } from '../../core/index.ts';
import type { VerifiedPassport } from '../../passport/index.ts';
import { CertificateAuthority } from './certificate-authority.ts';

const LIFETIME_MS = 24 * 60 * 60_000;
const MAX_SESSIONS = 4096;

/**
 * Short-lived authorities for `sallyport run`: one a session, constrained to the hosts of the services that
 * its passport names. Their keys are in memory alone, and gone with the process.
 */
export class SessionAuthorities {
  readonly #clock: Clock;
  readonly #bySession = new Map<string, CertificateAuthority>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The session's authority for these hosts; the same one again while half of its life is left. */
  async issue(passport: VerifiedPassport, hosts: readonly string[]): Promise<CertificateAuthority> {
    const key = keyOf(passport);
    const now = this.#clock.now();
    const known = this.#bySession.get(key);
    if (known !== undefined && known.expiresAt - now > LIFETIME_MS / 2 && sameHosts(known.hosts, hosts))
      return known;
    this.#forgetExpired(now);
    const { authority } = await CertificateAuthority.make({
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
export function hostsOfScopes(
  scopes: ReadonlySet<string>,
  byName: (name: string) => Service | null,
): string[] {
  const hosts = new Set<string>();
  for (const scope of scopes) {
    const colon = scope.indexOf(':');
    const service = colon < 0 ? null : byName(scope.slice(0, colon));
    for (const origin of service?.origins ?? []) if (origin.scheme === 'https') hosts.add(origin.host);
  }
  return [...hosts].sort();
}
