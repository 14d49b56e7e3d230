import type { JsonObject } from '../core/index.ts';
import { type PrivateJwk, SigningKey } from './signing-key.ts';

/** The keys of an agent whose key gives way with each use, as they must be kept. */
export interface RatchetKeys {
  /** Of the key that was registered: it names the line. */
  readonly kid: string;
  /** Signs now. */
  readonly current: PrivateJwk;
  /** Signs next, once an answer says that it was taken; null: none was made yet. */
  readonly next: PrivateJwk | null;
}

/**
 * A key that gives way to another one with each passport, so that a copy of it is noticed: of the copy and the original,
 * the second to be used has the agent quarantined. One instance an agent; it lets one request through at a time.
 */
export class KeyRatchet {
  #keys: RatchetKeys;
  readonly #save: (keys: RatchetKeys) => Promise<void>;
  #turn: Promise<unknown> = Promise.resolve();

  /**
   * `save` must be durable when it resolves: a next key that was named to the issuer and got lost locks the agent out.
   */
  constructor(keys: RatchetKeys, save: (keys: RatchetKeys) => Promise<void>) {
    this.#keys = keys;
    this.#save = save;
  }

  /** Runs one request after the other: two with one key would look like a copy. */
  inTurn<T>(request: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(request, request);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** An assertion by the key of the moment, which names the next one. */
  async sign(claims: JsonObject): Promise<string> {
    const { kid, current } = this.#keys;
    if (this.#keys.next === null) {
      this.#keys = { ...this.#keys, next: await newPrivateJwk() };
      await this.#save(this.#keys);
    }
    const [key, next] = [
      await SigningKey.import(current),
      await SigningKey.import(this.#keys.next ?? current),
    ];
    return key.sign({ kid, jwk: key.publicJwk }, { ...claims, next_jwk: next.publicJwk });
  }

  /** The issuer took the next key: it signs from now on. */
  async advance(): Promise<void> {
    const { kid, next } = this.#keys;
    if (next === null) return;
    this.#keys = { kid, current: next, next: null };
    await this.#save(this.#keys);
  }
}

async function newPrivateJwk(): Promise<PrivateJwk> {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
    'verify',
  ]);
  const { kty, crv, x, y, d } = await crypto.subtle.exportKey('jwk', pair.privateKey);
  return { kty: kty ?? '', crv: crv ?? '', x: x ?? '', y: y ?? '', d: d ?? '' };
}
