import { Refusal } from '../../core/index.ts';
import { type PinnedFetchOptions, pinnedFetch } from './fetch-pinned.ts';

export interface DocumentRequest {
  readonly url: string;
  readonly mostBytes: number;
  /** For all of it, from the look-up to the last byte. */
  readonly timeoutMs: number;
  readonly allowPrivate: boolean;
}

export interface DocumentAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly cacheControl: string;
  readonly body: string;
}

/** Reads one document. Throws Refusal, or what the connection failed with. */
export type ReadDocument = (request: DocumentRequest) => Promise<DocumentAnswer>;

/** Reads documents whose address a stranger names: https alone, under the rules of egress. */
export function documentReader(o: PinnedFetchOptions): ReadDocument {
  const fetch = pinnedFetch(o);
  return async (asked) => {
    if (!asked.url.toLowerCase().startsWith('https:')) {
      throw new Refusal('input_invalid', { detail: 'The URL is not a plain https URL.' });
    }
    const { status, headers, body } = await fetch({
      ...asked,
      method: 'GET',
      headers: { accept: 'application/json' },
      body: null,
    });
    const contentType = headers['content-type'] ?? '';
    return { status, contentType, cacheControl: headers['cache-control'] ?? '', body };
  };
}
