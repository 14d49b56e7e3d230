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
