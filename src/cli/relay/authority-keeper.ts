import { type Authority, requestAuthority } from './authority.ts';
import { RelayFault } from './fault.ts';
import { type PassportHolder, sentenceOf } from './passport-holder.ts';
import type { TrustFolder } from './trust-folder.ts';

/** Renewal begins when this share of the authority's life is over. */
const RENEW_AFTER = 2 / 3;
const RETRY_MS = 5_000;
/** A timer of Node can't wait longer. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

interface KeeperOptions {
  readonly holder: PassportHolder;
  readonly trust: TrustFolder;
  readonly onNotice: (sentence: string) => void;
}

/**
 * Keeps the files that the child trusts in step with the gate's authority for this agent: renewed before it
 * expires, and asked for again when the agent reaches a host that the authority can't name yet, since clients
 * enforce its constraints. Programs that read the file for each run or connection (curl, git) see it at once;
 * one that read it at its start (Node) needs a restart for a service that was added meanwhile.
 */
export class AuthorityKeeper {
  readonly #o: KeeperOptions;
  readonly #askedFor = new Map<string, Promise<void>>();
  #hosts: readonly string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  private constructor(o: KeeperOptions) {
    this.#o = o;
  }

  /** Throws RelayFault when the gateway gives none. */
  static async open(o: KeeperOptions): Promise<AuthorityKeeper> {
    const keeper = new AuthorityKeeper(o);
    await keeper.#take(await authorityOrNone(o));
    return keeper;
  }

  /** The hosts that the authority can name. */
  get hosts(): readonly string[] {
    return this.#hosts;
  }

  /** Called when the gate has let a tunnel to this host open: it knows a service there. */
  async cover(host: string): Promise<void> {
    if (this.#hosts.includes(host)) return;
    // Once for each host: a service without TLS never gets in.
    const asked = this.#askedFor.get(host) ?? this.#renew();
    this.#askedFor.set(host, asked);
    await asked;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #renew(): Promise<void> {
    try {
      await this.#take(await authorityOrNone(this.#o));
    } catch (fault) {
      if (this.#stopped) return;
      this.#o.onNotice(`the gate's certificate authority was not renewed: ${sentenceOf(fault)}`);
      this.#renewIn(RETRY_MS);
    }
  }

  async #take(authority: Authority | null): Promise<void> {
    if (this.#stopped) return;
    this.#hosts = authority?.hosts ?? [];
    await this.#o.trust.write(authority?.certificatePem ?? '');
    if (authority !== null) this.#renewIn((authority.expiresAt - Date.now()) * RENEW_AFTER);
  }

  #renewIn(delayMs: number): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    this.#timer = setTimeout(() => this.#renew(), Math.min(Math.max(delayMs, 0), LONGEST_TIMER_MS)).unref();
  }
}

/** An agent whose services are all plain http gets no authority, and needs none. */
async function authorityOrNone({ holder, onNotice }: KeeperOptions): Promise<Authority | null> {
  try {
    return await requestAuthority(holder);
  } catch (fault) {
    if (!(fault instanceof RelayFault) || fault.refusal !== 'scope_insufficient') throw fault;
    onNotice('no service of this agent has an https address; https calls will be refused');
    return null;
  }
}
