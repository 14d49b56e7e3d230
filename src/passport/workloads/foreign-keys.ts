import { type Clock, LIMITS } from '../../core/index.ts';
import { ProofFault, type PublicJwk, parsePublicJwk, parseStrictJsonObject } from '../../proof/index.ts';
import { OAuthFault } from '../oauth-fault.ts';

const KEPT_MS = 10 * 60_000;
/** Tokens with unknown names of keys must not make us ask each time. */
const AGAIN_AFTER_MS = 10_000;
const TIMEOUT_MS = 5_000;
const ANSWER_BYTES = 256 * 1024;

interface KeySet {
  readonly keys: ReadonlyMap<string, PublicJwk>;
  readonly readAt: number;
}

/** The key sets of issuers that an administrator trusts, at the addresses that he named. */
export class ForeignKeys {
  readonly #clock: Clock;
  readonly #fetch: typeof fetch;
  readonly #sets = new Map<string, KeySet>();
  readonly #reading = new Map<string, Promise<KeySet>>();

  constructor(o: { readonly clock: Clock; readonly fetch?: typeof fetch }) {
    this.#clock = o.clock;
    this.#fetch = o.fetch ?? ((...given) => fetch(...given));
  }

  /** Null where the issuer has no such key. Throws OAuthFault when the key set can't be had. */
  async find(uri: string, kid: string): Promise<PublicJwk | null> {
    const known = this.#sets.get(uri);
    const age = known === undefined ? Number.POSITIVE_INFINITY : this.#clock.now() - known.readAt;
    if (known !== undefined && age < (known.keys.has(kid) ? KEPT_MS : AGAIN_AFTER_MS))
      return known.keys.get(kid) ?? null;
    const reading = this.#reading.get(uri) ?? this.#read(uri).finally(() => this.#reading.delete(uri));
    this.#reading.set(uri, reading);
    return (await reading).keys.get(kid) ?? null;
  }

  async #read(uri: string): Promise<KeySet> {
    try {
      const answer = await this.#fetch(uri, { redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) });
      const text = await answer.text();
      if (answer.status !== 200 || text.length > ANSWER_BYTES) throw new Error(`status ${answer.status}`);
      const set = { keys: readKeys(text), readAt: this.#clock.now() };
      this.#sets.set(uri, set);
      return set;
    } catch (cause) {
      throw new OAuthFault('temporarily_unavailable', 'the keys of the trusted issuer can not be read', {
        cause,
      });
    }
  }
}

function readKeys(text: string): ReadonlyMap<string, PublicJwk> {
  const { keys } = parseStrictJsonObject(text, LIMITS.jsonDepth);
  const found = new Map<string, PublicJwk>();
  for (const value of Array.isArray(keys) ? keys : []) {
    try {
      const key = parsePublicJwk(value);
      if (key.kid !== null) found.set(key.kid, key);
    } catch (fault) {
      // Keys of other kinds stand beside those that we can use.
      if (!(fault instanceof ProofFault)) throw fault;
    }
  }
  return found;
}
