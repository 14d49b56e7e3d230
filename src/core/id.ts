const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';

/** What an identifier names; it stands in front so that a reader of a log knows what he looks at. */
export type IdKind =
  | 'agent'
  | 'alert'
  | 'approval'
  | 'call'
  | 'credential'
  | 'decoy'
  | 'delivery'
  | 'grant'
  | 'hop'
  | 'jti'
  | 'revocation'
  | 'secret'
  | 'sink'
  | 'token'
  | 'user';

const RANDOM_CHARS = 16;
/** Random bytes ahead: asking for each identifier costs more than making it. All are used up to begin with. */
const pool = new Uint8Array(128 * RANDOM_CHARS);
let taken = pool.length;

/**
 * A fresh identifier: kind, underscore, 10 characters of time (sortable), 16 random characters (82 bits).
 * Not a secret: never use it where guessing it would grant something.
 */
export function newId(kind: IdKind, now: number = Date.now()): string {
  if (taken === pool.length) {
    crypto.getRandomValues(pool);
    taken = 0;
  }
  let text = now.toString(36).padStart(10, '0');
  for (const end = taken + RANDOM_CHARS; taken < end; taken++) text += ALPHABET[(pool[taken] ?? 0) % 36];
  return `${kind}_${text}`;
}
