import { randomInt } from 'node:crypto';
import type { StatusReference } from '../../proof/index.ts';
import { PATHS } from '../metadata.ts';

/** Entries of one list: 16 kB of bits before compression. */
export const LIST_ENTRIES = 131_072;
/** Tries in one list before the next one is begun: a list that is half full fails this often in 1 of 256. */
const TRIES = 8;
export const MOST_LISTS = 64;
/** A verifier's clock may run behind ours, and its copy of a list may be this much older than the list's own ttl. */
export const REUSE_AFTER_MS = 15 * 60_000;

/**
 * Gives passports their entries in the status lists: at random, so that neighbours in a list say nothing of who
 * came when, and never again before nobody can hold a list about the one before (rule 15 of
 * docs/guarantees.md).
 */
export class StatusEntries {
  readonly #issuer: string;

  constructor(o: { readonly issuer: string }) {
    this.#issuer = o.issuer;
  }

  /** Where every list is full none of these is free: the passport can be asked about by introspection alone. */
  *candidates(): Generator<number> {
    for (let attempt = 0; attempt < MOST_LISTS * TRIES; attempt += 1) {
      yield Math.floor(attempt / TRIES) * LIST_ENTRIES + randomInt(LIST_ENTRIES);
    }
  }

  reference(entry: number | null): StatusReference | null {
    if (entry === null) return null;
    return { uri: this.uriOf(Math.floor(entry / LIST_ENTRIES)), index: entry % LIST_ENTRIES };
  }

  uriOf(list: number): string {
    return `${this.#issuer}${PATHS.statusLists}${list}`;
  }
}
