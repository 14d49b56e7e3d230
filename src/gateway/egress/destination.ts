import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type Origin, Refusal } from '../../core/index.ts';
import { classifyAddress, isLoopback } from './addresses.ts';
import { classifyName } from './names.ts';

/** Answers all addresses of a name, in the order in which they should be tried. */
export type Resolve = (host: string) => Promise<readonly string[]>;

export const systemResolve: Resolve = async (host) =>
  (await lookup(host, { all: true, order: 'verbatim' })).map(({ address }) => address);

/** Where a connection may go: every address was checked, and no name is looked up again. */
export interface PinnedDestination {
  readonly origin: Origin;
  readonly addresses: readonly string[];
  /** All addresses in one text: part of the key of a connection pool. */
  readonly key: string;
}

/** What reaches private ranges: the sealed binding of the credential, or the service when it has none. */
export interface Reach {
  readonly allowPrivate: boolean;
}

/** Names and address literals alone, without a look-up. Throws `destination_private`. */
export function checkHost(host: string, reach: Reach): void {
  if (isIP(host) !== 0) {
    checkAddress(host, reach);
    return;
  }
  const kind = classifyName(host);
  if (kind === 'metadata')
    throw new Refusal('destination_private', { detail: 'The host serves cloud metadata.' });
  if (kind === 'private' && !reach.allowPrivate) {
    throw new Refusal('destination_private', { detail: 'The host name is local to some network.' });
  }
}

function checkAddress(address: string, reach: Reach): void {
  const kind = classifyAddress(address);
  if (kind === 'public' || (kind === 'private' && reach.allowPrivate)) return;
  throw new Refusal('destination_private', {
    detail:
      kind === 'private'
        ? 'The host is, or resolves to, a private address.'
        : 'The host is, or resolves to, a reserved address.',
    internal: `address ${address} is ${kind}`,
  });
}

export interface GuardOptions {
  readonly resolve?: Resolve;
  /** Ports of the gate itself: a call must not come back in through its own doors. */
  readonly ownPorts: () => readonly number[];
  readonly now: () => number;
}

/** How long checked addresses stand in for a look-up. Being pinned, they can't be rebound meanwhile. */
const PIN_LIFETIME_MS = 30_000;
const MAX_PINS = 1024;

/**
 * Resolves a name once, checks every address that came back (one bad address refuses them all: the attacker
 * chooses the order), and pins them. `pin` throws `destination_private`, `destination_unresolvable`.
 */
export class EgressGuard {
  readonly #options: GuardOptions;
  readonly #resolve: Resolve;
  readonly #looked = new Map<
    string,
    { readonly until: number; readonly addresses: Promise<readonly string[]> }
  >();

  constructor(options: GuardOptions) {
    this.#options = options;
    this.#resolve = options.resolve ?? systemResolve;
  }

  async pin(origin: Origin, reach: Reach): Promise<PinnedDestination> {
    checkHost(origin.host, reach);
    const addresses = isIP(origin.host) === 0 ? await this.#lookUp(origin.host) : [origin.host];
    for (const address of addresses) checkAddress(address, reach);
    if (this.#isOwnPort(origin.port, addresses)) {
      throw new Refusal('destination_private', { detail: 'The destination is the gate itself.' });
    }
    return { origin, addresses, key: addresses.join(',') };
  }

  /** Forgets what was looked up: the next call asks again. */
  forget(): void {
    this.#looked.clear();
  }

  #lookUp(host: string): Promise<readonly string[]> {
    const now = this.#options.now();
    const known = this.#looked.get(host);
    if (known !== undefined && known.until > now) return known.addresses;
    if (this.#looked.size >= MAX_PINS) this.#looked.clear();
    const addresses = this.#ask(host);
    this.#looked.set(host, { until: now + PIN_LIFETIME_MS, addresses });
    addresses.catch(() => this.#looked.delete(host));
    return addresses;
  }

  async #ask(host: string): Promise<readonly string[]> {
    let addresses: readonly string[];
    try {
      addresses = await this.#resolve(host);
    } catch (cause) {
      throw new Refusal('destination_unresolvable', { cause });
    }
    if (addresses.length === 0) throw new Refusal('destination_unresolvable');
    return addresses;
  }

  #isOwnPort(port: number, addresses: readonly string[]): boolean {
    if (!this.#options.ownPorts().includes(port)) return false;
    const own = new Set(
      Object.values(networkInterfaces()).flatMap((list) => list?.map(({ address }) => address) ?? []),
    );
    return addresses.some((address) => isLoopback(address) || own.has(address));
  }
}
