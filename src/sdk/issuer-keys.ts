import { LIMITS } from '../core/index.ts';
import { ProofFault, type PublicJwk, parsePublicJwk, parseStrictJsonObject } from '../proof/index.ts';
import { SdkFault } from './fault.ts';

const KEPT_MS = 10 * 60_000;
/** Texts with unknown names of keys must not make us ask the issuer each time. */
const AGAIN_AFTER_MS = 10_000;
const TIMEOUT_MS = 10_000;
const ANSWER_CHARS = 256 * 1024;

export interface IssuerKeysOptions {
  /** The issuer identifier: the URL of the control plane, without a slash at its end. */
  readonly issuer: string;
  readonly fetch: typeof fetch;
  readonly now: () => number;
}

/** The issuer's keys (RFC 7517), found through its metadata (RFC 8414) and kept for ten minutes. */
export class IssuerKeys {
  readonly #o: IssuerKeysOptions;
  #keys: ReadonlyMap<string, PublicJwk> = new Map();
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | null = null;

  constructor(o: IssuerKeysOptions) {
    this.#o = o;
  }

  /** Makes sure that the key of this name is there, if the issuer has it. Throws SdkFault. */
  async prepare(kid: string): Promise<void> {
    const age = this.#o.now() - this.#readAt;
    if (age < (this.#keys.has(kid) ? KEPT_MS : AGAIN_AFTER_MS)) return;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null;
    });
    await this.#reading;
  }

  find(kid: string): PublicJwk | null {
    return this.#keys.get(kid) ?? null;
  }

  async #read(): Promise<void> {
    const { issuer } = this.#o;
    const metadata = await this.#get(`${issuer}/.well-known/oauth-authorization-server`);
    // RFC 8414 section 3.3: else one server could pass itself off as another.
    if (metadata.issuer !== issuer || typeof metadata.jwks_uri !== 'string') {
      throw new SdkFault('malformed', `${issuer} does not answer with the metadata of this issuer.`);
    }
    const { keys } = await this.#get(metadata.jwks_uri);
    if (!Array.isArray(keys)) throw new SdkFault('malformed', `${metadata.jwks_uri} holds no key set.`);
    const found = new Map<string, PublicJwk>();
    for (const value of keys) {
      const key = readKey(value);
      if (key?.kid != null) found.set(key.kid, key);
    }
    this.#keys = found;
    this.#readAt = this.#o.now();
  }

  async #get(url: string) {
    try {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const answer = await this.#o.fetch(url, { redirect: 'error', signal });
      const text = await answer.text();
      if (answer.status !== 200 || text.length > ANSWER_CHARS) throw new Error(`status ${answer.status}`);
      return parseStrictJsonObject(text, LIMITS.jsonDepth);
    } catch (cause) {
      throw new SdkFault('unreachable', `${url} can not be read.`, { cause });
    }
  }
}

/** Keys of kinds that we don't know stand beside ours without harm. */
function readKey(value: Parameters<typeof parsePublicJwk>[0]): PublicJwk | null {
  try {
    return parsePublicJwk(value);
  } catch (fault) {
    if (fault instanceof ProofFault) return null;
    throw fault;
  }
}
