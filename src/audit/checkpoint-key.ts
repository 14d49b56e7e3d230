import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createKeyFile, hasCode, KeyFileError, readKeyFile, replaceKeyFile } from '../files/index.ts';
import { checkpointFile } from './checkpoint-file.ts';
import { AuditFault } from './fault.ts';

const PRIVATE_NAME = 'audit-checkpoint.key';
const PUBLIC_NAME = 'audit-checkpoint.pub';

/**
 * The Ed25519 key that signs checkpoints: `audit-checkpoint.key` (PKCS #8 PEM, mode 0600), made at first use,
 * with its public half beside it for auditors. Throws KeyFileError for a key file that is unfinished, is not an
 * Ed25519 key, or can be read by others; and, where the folder of the log is given, for a key that is gone
 * although it has signed checkpoints there: with another one, the log would never verify again.
 */
export async function loadOrCreateCheckpointKey(
  keysDirectory: string,
  auditDirectory: string | null = null,
): Promise<KeyObject> {
  const file = join(keysDirectory, PRIVATE_NAME);
  const found = await readKeyFile(file);
  if (found === null && auditDirectory !== null) assertUnsigned(file, auditDirectory);
  const key = parsePrivateKey(file, found ?? (await makeKey(file)));
  const publicPem = createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
  const publicFile = join(keysDirectory, PUBLIC_NAME);
  if ((await readIfThere(publicFile)) !== publicPem) await replaceKeyFile(publicFile, publicPem, 0o644);
  return key;
}

/**
 * Looks at the key without making one: false when there is none. Throws KeyFileError or AuditFault for a file that
 * is unfinished, readable by others, or not the half of the other.
 */
export async function checkCheckpointKey(keysDirectory: string): Promise<boolean> {
  const file = join(keysDirectory, PRIVATE_NAME);
  const pem = await readKeyFile(file);
  if (pem === null) return false;
  const publicKey = await loadCheckpointPublicKey(keysDirectory);
  if (publicKey !== null && !createPublicKey(parsePrivateKey(file, pem)).equals(publicKey)) {
    const pub = join(keysDirectory, PUBLIC_NAME);
    throw new KeyFileError(pub, `is not the public half of ${PRIVATE_NAME}; restore both from a backup`);
  }
  return true;
}

/** The public half, for verifying. Null when there is none. */
export async function loadCheckpointPublicKey(keysDirectory: string): Promise<KeyObject | null> {
  const file = join(keysDirectory, PUBLIC_NAME);
  const pem = await readIfThere(file);
  if (pem === null) return null;
  try {
    const key = createPublicKey(pem);
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch (cause) {
    throw new AuditFault(file, null, 'this is not a public key; take it from a backup', { cause });
  }
  throw new AuditFault(file, null, 'this is not an Ed25519 public key; take it from a backup');
}

function parsePrivateKey(file: string, pem: Buffer): KeyObject {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch (cause) {
    const what = 'is unfinished or damaged; take it from a backup, or move it away to begin with a new key';
    throw new KeyFileError(file, what, { cause });
  }
  throw new KeyFileError(file, 'is not an Ed25519 private key');
}

function assertUnsigned(file: string, auditDirectory: string): void {
  if (!existsSync(checkpointFile(auditDirectory))) return;
  throw new KeyFileError(
    file,
    `is missing, and it has signed the log in ${auditDirectory}. Restore the keys folder from a backup. Without one, move that folder away, with ${PUBLIC_NAME} where there is one, and keep both: a new log begins`,
  );
}

/** The first of two makers wins; what is read is what counts. */
async function makeKey(file: string): Promise<Buffer> {
  const { privateKey } = generateKeyPairSync('ed25519');
  await createKeyFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  const pem = await readKeyFile(file);
  if (pem === null) throw new KeyFileError(file, 'was taken away while it was made');
  return pem;
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (fault) {
    if (hasCode(fault, 'ENOENT')) return null;
    throw fault;
  }
}
