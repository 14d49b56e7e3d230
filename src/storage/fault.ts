import { Refusal } from '../core/index.ts';

/**
 * The database can't be used as it is: damaged, foreign, newer than this program, held by another process or
 * out of reach. The message names the place (never a password) and says what to do.
 */
export class StorageFault extends Error {
  /** File, or host and database. */
  readonly place: string;

  constructor(place: string, what: string, options?: { readonly cause?: unknown }) {
    super(`${place}: ${what}`, options);
    this.name = 'StorageFault';
    this.place = place;
  }
}

/**
 * For a database that worked and now can't be reached or written (full disk, read-only files, lost server): no
 * fault of the program, and often mended by waiting.
 */
export function unavailable(cause: unknown): Refusal {
  const internal = cause instanceof Error ? cause.message : String(cause);
  return new Refusal('storage_unavailable', { internal, cause });
}
