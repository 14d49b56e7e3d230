import type { Clock, JsonObject } from '../../core/index.ts';
import { Refusal } from '../../core/index.ts';
import { ProofFault } from '../../proof/index.ts';
import { OAuthFault } from '../oauth-fault.ts';
import type { FetchDocument } from './document-rule.ts';
import { readClientDocument, readKeySet } from './read-client-document.ts';

/** The draft recommends 5 KB; key sets of many RSA keys are larger. */
const DOCUMENT_BYTES = 5 * 1024;
const KEYS_BYTES = 64 * 1024;
const TIMEOUT_MS = 5_000;
/** What a document says of its own age is heard within these bounds. */
const KEPT_MS = { least: 60_000, usual: 300_000, most: 3_600_000 } as const;
/** One that could not be had is not asked for again at once. */
const FAILED_MS = 10_000;
const ENTRIES = 1_000;
const READ_AT_ONCE = 8;

export interface KnownDocument {
  readonly name: string | null;
  /** Null: it authenticates with nothing. */
  readonly jwks: readonly JsonObject[] | null;
  readonly redirectUris: readonly string[];
}

interface Entry {
  readonly known: Promise<KnownDocument>;
  until: number;
}

/** Client documents in bounded memory: each is read once for all that ask at the same time. */
export class DocumentCache {
  readonly #clock: Clock;
  readonly #fetch: FetchDocument;
  readonly #entries = new Map<string, Entry>();
  #reading = 0;

  constructor(o: { readonly clock: Clock; readonly fetch: FetchDocument }) {
    this.#clock = o.clock;
    this.#fetch = o.fetch;
  }

  /** Throws OAuthFault: invalid_client, or temporarily_unavailable where too many are being read. */
  async find(address: string, allowPrivate: boolean): Promise<KnownDocument> {
    const now = this.#clock.now();
    const entry = this.#entries.get(address);
    if (entry !== undefined && entry.until > now) return entry.known;
    if (this.#reading >= READ_AT_ONCE) {
      throw new OAuthFault('temporarily_unavailable', 'too many client documents are being read');
    }
    const fresh: Entry = {
      known: this.#read(address, allowPrivate, (until) => (fresh.until = until)),
      until: now + TIMEOUT_MS * 4,
    };
    this.#entries.delete(address);
    this.#entries.set(address, fresh);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > ENTRIES && oldest !== undefined) this.#entries.delete(oldest);
    return fresh.known;
  }

  async #read(
    address: string,
    allowPrivate: boolean,
    keepUntil: (until: number) => void,
  ): Promise<KnownDocument> {
    this.#reading += 1;
    try {
      const limits = { timeoutMs: TIMEOUT_MS, allowPrivate };
      const answer = await this.#get({ url: address, mostBytes: DOCUMENT_BYTES, ...limits });
      const { name, keys, redirectUris } = readClientDocument(answer.body, address);
      const jwks =
        keys === null || 'jwks' in keys
          ? (keys?.jwks ?? null)
          : readKeySet((await this.#get({ url: keys.jwksUri, mostBytes: KEYS_BYTES, ...limits })).body);
      keepUntil(this.#clock.now() + lifetimeOf(answer.cacheControl));
      return { name, jwks, redirectUris };
    } catch (cause) {
      keepUntil(this.#clock.now() + FAILED_MS);
      const why =
        cause instanceof ProofFault || cause instanceof Refusal ? cause.message : 'it can not be read';
      throw new OAuthFault('invalid_client', `the client's document is not taken: ${why}`, { cause });
    } finally {
      this.#reading -= 1;
    }
  }

  async #get(request: Parameters<FetchDocument>[0]) {
    const answer = await this.#fetch(request);
    if (answer.status !== 200)
      throw new ProofFault('malformed', `It was answered with status ${answer.status}.`);
    if (!/^application\/(?:[a-z0-9.+-]+\+)?json *(?:;|$)/i.test(answer.contentType)) {
      throw new ProofFault('malformed', 'It is not JSON by its content type.');
    }
    return answer;
  }
}

function lifetimeOf(cacheControl: string): number {
  if (/\b(?:no-store|no-cache)\b/i.test(cacheControl)) return KEPT_MS.least;
  const seconds = /\bmax-age=(\d{1,9})\b/i.exec(cacheControl)?.[1];
  if (seconds === undefined) return KEPT_MS.usual;
  return Math.min(KEPT_MS.most, Math.max(KEPT_MS.least, Number(seconds) * 1000));
}
