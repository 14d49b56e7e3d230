import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { SecretBytes } from '../core/index.ts';
import { openedLength, openInto, seal } from './aead.ts';
import { canonicalFields } from './canonical.ts';
import { COSTS, deriveKey, MIN_PASSPHRASE_BYTES, passphraseHeader } from './seals/passphrase.ts';

/** Bytes under a passphrase: Argon2id makes the key, XChaCha20-Poly1305 seals. The costs stand beside it. */
export const passphraseBoxSchema = passphraseHeader.extend({ sealed: z.base64url() });
export type PassphraseBox = z.infer<typeof passphraseBoxSchema>;

/** `context` names what is inside; a box is opened with the same one alone. Throws Error for a short passphrase. */
export async function sealInBox(
  passphrase: SecretBytes,
  context: string,
  bytes: Uint8Array,
): Promise<PassphraseBox> {
  if (passphrase.length < MIN_PASSPHRASE_BYTES) {
    throw new Error(`the passphrase needs at least ${MIN_PASSPHRASE_BYTES} characters`);
  }
  const header = {
    format: 1,
    kdf: 'argon2id',
    ...COSTS,
    salt: randomBytes(16).toString('base64url'),
  } as const;
  const key = await deriveKey(passphrase, header);
  try {
    return {
      ...header,
      sealed: Buffer.from(seal(key, bytes, contextOf(context, header))).toString('base64url'),
    };
  } finally {
    key.fill(0);
  }
}

/** Null when the passphrase is not the one, or the box was changed. The caller wipes the bytes. */
export async function openBox(
  passphrase: SecretBytes,
  context: string,
  box: PassphraseBox,
): Promise<Buffer | null> {
  const sealed = Buffer.from(box.sealed, 'base64url');
  const length = openedLength(sealed);
  if (length === null) return null;
  const key = await deriveKey(passphrase, box);
  try {
    const opened = Buffer.alloc(length);
    return openInto(opened, key, sealed, contextOf(context, box)) ? opened : null;
  } finally {
    key.fill(0);
  }
}

function contextOf(context: string, header: z.infer<typeof passphraseHeader>): Uint8Array {
  const { kdf, memoryKib, passes, lanes, salt } = header;
  return canonicalFields(['sallyport/box/1', context, kdf, `${memoryKib}`, `${passes}`, `${lanes}`, salt]);
}
