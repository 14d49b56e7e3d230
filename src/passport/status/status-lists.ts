import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import { type Clock, toSeconds } from '../../core/index.ts';
import { packStatuses, STATUS_LIST_TYPE } from '../../proof/index.ts';
import type { Signer } from '../grants/signing.ts';
import { revocableOf } from '../issuing.ts';
import { STATUS_LIFETIME_SECONDS } from '../metadata.ts';
import type { RevocationIndex } from '../revocation-index.ts';
import type { PassportStore } from '../store.ts';
import { LIST_ENTRIES, MOST_LISTS, type StatusEntries } from './status-entries.ts';

/** How long a verifier may use a list before it asks again. */
export const STATUS_TTL_SECONDS = 30;
/** A list without news is signed again after this time. */
const KEPT_MS = 15_000;

const deflateAsync = promisify(deflate);

interface Built {
  readonly token: string;
  readonly at: number;
  readonly generation: number;
}

export interface StatusListsOptions {
  readonly tenant: string;
  readonly issuer: string;
  readonly entries: StatusEntries;
  readonly passports: PassportStore;
  readonly revocations: RevocationIndex;
  readonly signer: Signer;
  readonly clock: Clock;
}

/**
 * Token Status Lists (draft-ietf-oauth-status-list): for verifiers that never ask about a passport, which of the
 * live ones are revoked. A list is made from the same revocations that the gateway asks, when it is fetched.
 */
export class StatusLists {
  readonly #o: StatusListsOptions;
  readonly #built = new Map<number, Promise<Built>>();
  #generation = 0;

  constructor(o: StatusListsOptions) {
    this.#o = o;
  }

  /** To be called with each revocation: lists that are fetched from now on tell of it. */
  renew(): void {
    this.#generation += 1;
  }

  /** The signed list of this number, or null where there can be none. */
  async get(list: number): Promise<string | null> {
    if (!Number.isInteger(list) || list < 0 || list >= MOST_LISTS) return null;
    const now = this.#o.clock.now();
    const known = await this.#built.get(list)?.catch(() => null);
    if (known != null && known.generation === this.#generation && now - known.at < KEPT_MS)
      return known.token;
    const building = this.#build(list);
    this.#built.set(list, building);
    return (await building).token;
  }

  async #build(list: number): Promise<Built> {
    const { tenant, issuer, entries, passports, revocations, signer, clock } = this.#o;
    const generation = this.#generation;
    const now = clock.now();
    const from = list * LIST_ENTRIES;
    const live = await passports.withStatus(tenant, { from, to: from + LIST_ENTRIES, liveAt: now });
    const invalid = live.flatMap((passport) => {
      const revoked = passport.statusIndex !== null && revocations.find(revocableOf(passport)) !== null;
      return revoked ? [Number(passport.statusIndex) - from] : [];
    });
    const packed = await deflateAsync(packStatuses(LIST_ENTRIES, invalid), { level: 9 });
    const iat = toSeconds(now);
    const token = await signer.sign(signer.current, STATUS_LIST_TYPE, {
      iss: issuer,
      sub: entries.uriOf(list),
      iat,
      exp: iat + STATUS_LIFETIME_SECONDS,
      ttl: STATUS_TTL_SECONDS,
      status_list: { bits: 1, lst: packed.toString('base64url') },
    });
    return { token, at: now, generation };
  }
}
