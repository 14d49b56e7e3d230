import { createHash, createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { canonicalJson } from '../../audit/index.ts';
import { type Clock, type JsonValue, Refusal, type SecretBytes } from '../../core/index.ts';
import type { IdempotencyStore } from '../store.ts';
import type { AdminIdentity } from '../tokens.ts';

/** How long an answer can be asked for again. */
export const IDEMPOTENCY_LIFETIME_MS = 24 * 60 * 60 * 1000;
/** No request takes this long: one that has not ended by then was cut off by the end of its process. */
const INTERRUPTED_AFTER_MS = 2 * 60 * 1000;

export interface IdempotencyOptions {
  readonly store: IdempotencyStore;
  /** Answers may show a secret that was just made, so each is kept sealed (vault). */
  readonly sealer: {
    seal(context: string, bytes: Uint8Array): Uint8Array;
    open(context: string, blob: Uint8Array): SecretBytes;
  };
  /** Key of the requests' fingerprints: a body can hold a secret that a plain hash would let a thief guess. */
  readonly pepper: Uint8Array;
  readonly clock: Clock;
}

/** The `Idempotency-Key` of a request that changes something, as a text or as an RFC 8941 string; null: none. */
export function idempotencyKeyOf(request: IncomingMessage): string | null {
  const fields = request.headersDistinct['idempotency-key'];
  if (fields === undefined || request.method === 'GET') return null;
  const [field = ''] = fields;
  const key = /^"((?:[^"\\]|\\["\\])*)"$/.exec(field)?.[1]?.replaceAll(/\\(["\\])/g, '$1') ?? field;
  if (fields.length === 1 && /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw new Refusal('input_invalid', {
    detail: 'Idempotency-Key is given once, as 1 to 255 visible ASCII characters.',
  });
}

export interface IdempotentRequest {
  readonly admin: AdminIdentity;
  readonly key: string;
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly body: unknown;
}

/**
 * `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07): the same key and request give the same answer,
 * and the work is done once. What was refused changed nothing, so that its key is free again.
 */
export class Idempotency {
  readonly #options: IdempotencyOptions;

  constructor(options: IdempotencyOptions) {
    this.#options = options;
  }

  /** Throws Refusal `idempotency_mismatch`, `idempotency_in_flight`, `idempotency_interrupted`, or that of `work`. */
  async once(
    request: IdempotentRequest,
    work: () => Promise<JsonValue>,
  ): Promise<{ readonly answer: JsonValue; readonly replayed: boolean }> {
    const { store, clock } = this.#options;
    const now = clock.now();
    const place = {
      tenant: request.admin.tenant,
      tokenId: request.admin.tokenId,
      keyHash: createHash('sha256').update(request.key).digest('hex'),
    };
    const fingerprint = this.#fingerprint(request);
    const expiresAt = now + IDEMPOTENCY_LIFETIME_MS;
    const known = await store.begin({ ...place, fingerprint, startedAt: now, expiresAt, answer: null }, now);
    if (known !== null) {
      if (known.fingerprint !== fingerprint) throw new Refusal('idempotency_mismatch');
      if (known.answer === null) throw unfinished(now - known.startedAt);
      return { answer: this.#open(contextOf(place), known.answer), replayed: true };
    }
    try {
      const answer = await work();
      const bytes = Buffer.from(JSON.stringify(answer));
      await store.finish(place, this.#options.sealer.seal(contextOf(place), bytes));
      return { answer, replayed: false };
    } catch (cause) {
      // Any other fault leaves open what was done: the key stays taken.
      if (cause instanceof Refusal && cause.code !== 'internal_error') await store.release(place);
      throw cause;
    }
  }

  #fingerprint({ method, target, body }: IdempotentRequest): string {
    const text = canonicalJson({ method, target, body: (body ?? null) as JsonValue });
    return createHmac('sha256', this.#options.pepper).update(`idempotency\0${text}`).digest('hex');
  }

  #open(context: string, sealed: Uint8Array): JsonValue {
    using secret = this.#options.sealer.open(context, sealed);
    return secret.use((bytes) => JSON.parse(Buffer.from(bytes).toString('utf8')));
  }
}

function unfinished(ageMs: number): Refusal {
  return ageMs < INTERRUPTED_AFTER_MS
    ? new Refusal('idempotency_in_flight', { retryAfterMs: 1_000 })
    : new Refusal('idempotency_interrupted');
}

/** Opens an answer in its place alone: an intruder can't put one administrator's answer before another one. */
function contextOf(place: {
  readonly tenant: string;
  readonly tokenId: string;
  readonly keyHash: string;
}): string {
  return `idempotency/${place.tenant}/${place.tokenId}/${place.keyHash}`;
}
