import argon2 from 'argon2';
import { Refusal } from '../core/index.ts';

/** OWASP Password Storage Cheat Sheet: Argon2id, 19 MiB, two passes, one lane. */
const COSTS = { type: argon2.argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
/** NIST SP 800-63B: at least 15 where a password stands alone, and no rules about its characters. */
const LEAST_CHARS = 15;
const MOST_CHARS = 256;
/** Each check takes 19 MiB: more at once than this wait for their turn. */
const AT_ONCE = 4;

/** Checks and keeps passwords; a check costs the same whether there is a user or not. */
export class Passwords {
  #decoy: Promise<string> | null = null;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /** Throws Refusal('input_invalid') for one that is too short, too long or too plain. */
  async hash(password: string, name: string): Promise<string> {
    const chars = [...password].length;
    if (chars < LEAST_CHARS || chars > MOST_CHARS || !password.isWellFormed()) {
      throw new Refusal('input_invalid', {
        detail: `A password has ${LEAST_CHARS} to ${MOST_CHARS} characters: four or five words do well.`,
      });
    }
    if (new Set(password).size < 5 || password.toLowerCase().includes(name)) {
      throw new Refusal('input_invalid', {
        detail: 'That password is too easy to guess: it repeats itself, or holds the name.',
      });
    }
    return this.#inTurn(() => argon2.hash(normal(password), COSTS));
  }

  /** `stored`: null where there is no such user or no password; it takes as long all the same. */
  async matches(stored: string | null, password: string): Promise<boolean> {
    this.#decoy ??= argon2.hash('there is nobody with this password', COSTS);
    const hash = stored ?? (await this.#decoy);
    const shown = normal(password.slice(0, MOST_CHARS * 2));
    const right = await this.#inTurn(() => argon2.verify(hash, shown));
    return right && stored !== null;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running += 1;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}

/** What people type as the same text is the same text (RFC 8265 section 4.2). */
function normal(password: string): string {
  return password.normalize('NFC');
}
