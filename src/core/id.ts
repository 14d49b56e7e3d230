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
  | 'hop'
  | 'jti'
  | 'revocation'
  | 'secret'
  | 'sink'
  | 'token';

/**
 * A fresh identifier: kind, underscore, 10 characters of time (sortable), 16 random characters (82 bits).
 * Not a secret: never use it where guessing it would grant something.
 */
export function newId(kind: IdKind, now: number = Date.now()): string {
  const random = crypto.getRandomValues(new Uint8Array(16));
  let text = now.toString(36).padStart(10, '0');
  for (const byte of random) text += ALPHABET[byte % 36];
  return `${kind}_${text}`;
}
