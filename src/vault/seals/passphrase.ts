import { randomBytes } from 'node:crypto';
import argon2 from 'argon2';
import { z } from 'zod';
import type { SecretBytes } from '../../core/index.ts';
import { createKeyFile, readKeyFile } from '../../files/index.ts';
import { KEY_BYTES, openInto, seal } from '../aead.ts';
import { canonicalFields } from '../canonical.ts';
import type { Seal } from './seal.ts';

export const MIN_PASSPHRASE_BYTES = 12;

/**
 * The costs stand in the file, so that they can rise later. The lower bounds keep whoever can write the file
 * from making guesses cheap, the upper ones from stalling the start.
 */
export const passphraseHeader = z.strictObject({
  format: z.literal(1),
  kdf: z.literal('argon2id'),
  memoryKib: z.int().min(65_536).max(4_194_304),
  passes: z.int().min(3).max(64),
  lanes: z.int().min(1).max(16),
  salt: z.base64url().length(22),
});
const sealedRootSchema = passphraseHeader.extend({ sealedRoot: z.base64url() });
type SealedRoot = z.infer<typeof sealedRootSchema>;

/** RFC 9106 section 4, second recommended option: 64 MiB, three passes, four lanes. */
export const COSTS = { memoryKib: 65_536, passes: 3, lanes: 4 } as const;

/**
 * The root key under a key that Argon2id makes of a passphrase. A wrong passphrase is told at once, because
 * the root key then fails to open; what leaves the machine with the folder is worth as much as the passphrase.
 */
export function passphraseSeal(passphrase: SecretBytes): Seal {
  return {
    async unseal(path) {
      const bytes = await readKeyFile(path);
      if (bytes === null) return null;
      const sealed = parse(path, bytes);
      const key = await deriveKey(passphrase, sealed);
      const root = Buffer.alloc(KEY_BYTES);
      const opened = openInto(root, key, Buffer.from(sealed.sealedRoot, 'base64url'), contextOf(sealed));
      key.fill(0);
      if (!opened) throw new Error(`the passphrase does not open ${path}`);
      return root;
    },
    async seal(path, rootKey) {
      if (passphrase.length < MIN_PASSPHRASE_BYTES) {
        throw new Error(`the passphrase of the vault needs at least ${MIN_PASSPHRASE_BYTES} characters`);
      }
      const header = {
        format: 1,
        kdf: 'argon2id',
        ...COSTS,
        salt: randomBytes(16).toString('base64url'),
      } as const;
      const key = await deriveKey(passphrase, header);
      const sealedRoot = Buffer.from(seal(key, rootKey, contextOf(header))).toString('base64url');
      key.fill(0);
      return createKeyFile(path, Buffer.from(`${JSON.stringify({ ...header, sealedRoot }, null, 2)}\n`));
    },
  };
}

function parse(path: string, bytes: Buffer): SealedRoot {
  try {
    return sealedRootSchema.parse(JSON.parse(bytes.toString('utf8')));
  } catch (error) {
    throw new Error(`${path} is damaged; restore it from a backup`, { cause: error });
  }
}

type Header = z.infer<typeof passphraseHeader>;

export async function deriveKey(passphrase: SecretBytes, header: Header): Promise<Buffer> {
  const copy = passphrase.use((bytes) => Buffer.from(bytes));
  try {
    return await argon2.hash(copy, {
      raw: true,
      type: argon2.argon2id,
      memoryCost: header.memoryKib,
      timeCost: header.passes,
      parallelism: header.lanes,
      salt: Buffer.from(header.salt, 'base64url'),
      hashLength: KEY_BYTES,
    });
  } finally {
    copy.fill(0);
  }
}

function contextOf(header: Header): Uint8Array {
  return canonicalFields([
    'sallyport/vault/root/1',
    header.kdf,
    String(header.memoryKib),
    String(header.passes),
    String(header.lanes),
    header.salt,
  ]);
}
