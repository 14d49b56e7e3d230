/** What the texts of one call may cost to decode; what is left unread is told. */
const MAX_CHARS = 512 * 1024;
const MAX_TEXTS = 512;
const MAX_UNPACKS = 128;

export class Budget {
  #chars = MAX_CHARS;
  #texts = MAX_TEXTS;
  #unpacks = MAX_UNPACKS;
  #exceeded = false;

  /** Whether something was left unread. */
  get exceeded(): boolean {
    return this.#exceeded;
  }

  /** As much of a text as may still be decoded. */
  text(text: string): string {
    const allowed = this.#texts > 0 ? text.slice(0, this.#chars) : '';
    this.#texts -= 1;
    this.#chars -= allowed.length;
    if (allowed.length < text.length) this.#exceeded = true;
    return allowed;
  }

  /** Whether one more piece may be unpacked. */
  unpack(): boolean {
    this.#unpacks -= 1;
    if (this.#unpacks < 0) this.#exceeded = true;
    return this.#unpacks >= 0;
  }
}
