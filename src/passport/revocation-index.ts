import type { RevocationKind, Subject } from '../core/index.ts';
import type { RevocationRecord } from './store.ts';

/** What a revocation can hit. */
export interface Revocable {
  readonly subject: Subject;
  readonly jti: string;
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
  /** Agents that acted before in the chain: what ends an agent ends what it passed on. */
  readonly ancestors: readonly string[];
  /** What the agent authenticated with: kid or secret id. */
  readonly credential: string | null;
  /** Name of the key that signed it. */
  readonly kid: string | null;
}

type Entry = Pick<RevocationRecord, 'revokedAt' | 'expiresAt'>;

/** Every live revocation in memory: the gate asks it for each call, without a database. */
export class RevocationIndex {
  readonly #entries = new Map<string, Entry>();
  /** Passports that nothing hit, until something new is applied: most are asked for again and again. */
  #clean = new WeakSet<Revocable>();

  /** True when it says something new. */
  apply(record: RevocationRecord): boolean {
    const key = keyOf(record.tenant, record.kind, record.value);
    const known = this.#entries.get(key);
    if (known !== undefined && known.revokedAt >= record.revokedAt) return false;
    this.#entries.set(key, { revokedAt: record.revokedAt, expiresAt: record.expiresAt });
    this.#clean = new WeakSet();
    return true;
  }

  /** The kind of revocation that hits the passport, or null. The same object must always say the same. */
  find(passport: Revocable): RevocationKind | null {
    if (this.#clean.has(passport)) return null;
    const { tenant } = passport.subject;
    for (const [kind, value] of namesOf(passport)) {
      const entry = this.#entries.get(keyOf(tenant, kind, value));
      if (entry !== undefined && hits(kind, entry.revokedAt, passport)) return kind;
    }
    this.#clean.add(passport);
    return null;
  }

  /** When the agent, its owner or its user was last revoked (ms), or null. */
  lastMoment(subject: Pick<Subject, 'tenant' | 'agentId' | 'owner' | 'user'>): number | null {
    const moments = [
      this.#entries.get(keyOf(subject.tenant, 'agent', subject.agentId)),
      this.#entries.get(keyOf(subject.tenant, 'owner', subject.owner)),
      subject.user === null ? undefined : this.#entries.get(keyOf(subject.tenant, 'user', subject.user)),
    ].flatMap((entry) => (entry === undefined ? [] : [entry.revokedAt]));
    return moments.length === 0 ? null : Math.max(...moments);
  }

  forgetExpired(now: number): void {
    for (const [key, { expiresAt }] of this.#entries) {
      if (expiresAt !== null && expiresAt <= now) this.#entries.delete(key);
    }
  }
}

/** Whether one revocation hits one passport. */
export function matches(record: RevocationRecord, passport: Revocable): boolean {
  if (record.tenant !== passport.subject.tenant) return false;
  return namesOf(passport).some(
    ([kind, value]) =>
      kind === record.kind && value === record.value && hits(kind, record.revokedAt, passport),
  );
}

/** A token, a hop, a session, a credential and a key are over for good; the others may get new passports after that moment. */
function hits(kind: RevocationKind, revokedAt: number, passport: Revocable): boolean {
  switch (kind) {
    case 'token':
    case 'hop':
    case 'session':
    case 'credential':
    case 'key':
      return true;
    case 'agent':
    case 'owner':
    case 'user':
      return passport.issuedAt <= revokedAt;
  }
}

function namesOf({ subject, jti, ancestors, credential, kid }: Revocable): [RevocationKind, string][] {
  return [
    ['token', jti],
    ['session', subject.sid],
    ['agent', subject.agentId],
    ['owner', subject.owner],
    ...named('user', subject.user),
    ...named('credential', credential === null ? null : credentialName(subject.agentId, credential)),
    ...named('key', kid),
    ...ancestors.map((agent): [RevocationKind, string] => ['agent', agent]),
    ...subject.chain.map((hop): [RevocationKind, string] => ['hop', hop]),
  ];
}

function named(kind: RevocationKind, value: string | null): [RevocationKind, string][] {
  return value === null ? [] : [[kind, value]];
}

/** How a revocation names a key or secret of an agent. */
export function credentialName(agentId: string, credential: string): string {
  return `${agentId}/${credential}`;
}

function keyOf(tenant: string, kind: RevocationKind, value: string): string {
  return `${tenant}\n${kind}\n${value}`;
}
