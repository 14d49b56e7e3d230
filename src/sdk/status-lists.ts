import { parseUrl } from '../core/index.ts';
import {
  ProofFault,
  parseCompactJws,
  STATUS_LIST_TYPE,
  type StatusReference,
  verifyStatusListToken,
} from '../proof/index.ts';
import { SdkFault } from './fault.ts';
import type { IssuerKeys, IssuerKeysOptions } from './issuer-keys.ts';
import { verifySignature } from './web-crypto.ts';

const ALGORITHMS = new Set(['ES256'] as const);
const TIMEOUT_MS = 10_000;
/** More than a list of a million eight-bit entries that does not compress at all. */
const ANSWER_BYTES = 4 * 1024 * 1024;
const LISTS_KEPT = 64;

type Fresh = Awaited<ReturnType<typeof verifyStatusListToken>>;

export interface StatusListsOptions extends IssuerKeysOptions {
  readonly keys: Pick<IssuerKeys, 'prepare' | 'find'>;
}

/** Reads the issuer's status lists, and keeps each for as long as it says. */
export class StatusLists {
  readonly #o: StatusListsOptions;
  readonly #lists = new Map<string, Promise<Fresh>>();

  constructor(o: StatusListsOptions) {
    this.#o = o;
  }

  /**
   * The status of an entry (0: valid). Throws SdkFault or ProofFault where it can't be known: such a passport is
   * refused, never taken as valid.
   */
  async statusOf({ uri, index }: StatusReference): Promise<number> {
    const known = this.#lists.get(uri);
    const fresh = known === undefined ? null : await known.catch(() => null);
    if (fresh !== null && fresh.freshUntil > this.#o.now()) return fresh.list.at(index);
    // Those who asked meanwhile have put another one there.
    const current = this.#lists.get(uri);
    const reading = current !== undefined && current !== known ? current : this.#read(uri);
    this.#lists.delete(uri);
    this.#lists.set(uri, reading);
    const [oldest] = this.#lists.keys();
    if (this.#lists.size > LISTS_KEPT && oldest !== undefined) this.#lists.delete(oldest);
    return (await reading).list.at(index);
  }

  async #read(uri: string): Promise<Fresh> {
    const { issuer, keys, now } = this.#o;
    // The issuer's own place alone: a reference must not lead into our network.
    if (parseUrl(uri)?.origin !== new URL(issuer).origin) {
      throw new ProofFault('claims', 'The status list is not at its issuer.');
    }
    const text = await this.#fetch(uri);
    const { kid } = parseCompactJws(text, { maxChars: ANSWER_BYTES, algorithms: ALGORITHMS }).header;
    if (typeof kid === 'string') await keys.prepare(kid);
    return verifyStatusListToken(text, {
      uri,
      issuer,
      algorithms: ALGORITHMS,
      findKey: (name) => keys.find(name),
      verifySignature,
      now: now(),
    });
  }

  async #fetch(uri: string): Promise<string> {
    const type = `application/${STATUS_LIST_TYPE}`;
    try {
      const answer = await this.#o.fetch(uri, {
        redirect: 'error',
        headers: { accept: type },
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const [essence = ''] = (answer.headers.get('content-type') ?? '').split(';');
      if (answer.status !== 200 || essence.trim().toLowerCase() !== type) {
        throw new Error(`status ${answer.status}, type ${essence}`);
      }
      return await readText(answer);
    } catch (cause) {
      throw new SdkFault('unreachable', `The status list ${uri} can not be read.`, { cause });
    }
  }
}

async function readText(answer: Response): Promise<string> {
  if (answer.body === null) return '';
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of answer.body) {
    length += chunk.length;
    if (length > ANSWER_BYTES) throw new Error('the answer is too large');
    chunks.push(chunk);
  }
  return new Blob(chunks.map((chunk) => chunk.slice())).text();
}
