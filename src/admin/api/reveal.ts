import type { SecretBytes } from '../../core/index.ts';

/** The text of a generated secret for the one answer that shows it; the bytes are wiped. */
export function revealOnce(secret: SecretBytes): string {
  try {
    return secret.use((bytes) => new TextDecoder().decode(bytes));
  } finally {
    secret.wipe();
  }
}
