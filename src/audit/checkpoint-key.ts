import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
} from 'node:crypto';
import { link, mkdir, open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { AuditFault } from './fault.ts';
import { hasCode, syncDirectory } from './files.ts';

const PRIVATE_NAME = 'audit-checkpoint.key';
const PUBLIC_NAME = 'audit-checkpoint.pub';

/**
 * The Ed25519 key that signs checkpoints: `audit-checkpoint.key` (PKCS #8 PEM, mode 0600), made at first use,
 * with its public half beside it for auditors. Throws AuditFault for a key file that is unfinished, is not an
 * Ed25519 key, or can be read by others.
 */
export async function loadOrCreateCheckpointKey(keysDirectory: string): Promise<KeyObject> {
  await mkdir(keysDirectory, { recursive: true, mode: 0o700 });
  const file = join(keysDirectory, PRIVATE_NAME);
  const pem = (await readIfThere(file)) ?? (await createKeyFile(keysDirectory, file));
  const key = await parseKeyFile(file, pem);
  const publicPem = createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
  const publicFile = join(keysDirectory, PUBLIC_NAME);
  if ((await readIfThere(publicFile)) !== publicPem) await replace(publicFile, publicPem, 0o644);
  return key;
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

async function parseKeyFile(file: string, pem: string): Promise<KeyObject> {
  const { mode } = await stat(file);
  if ((mode & 0o077) !== 0) {
    throw new AuditFault(file, null, 'others may read this private key; run: chmod 600 on it');
  }
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch (cause) {
    throw new AuditFault(
      file,
      null,
      'the key is unfinished or damaged; take it from a backup, or move it away to begin with a new key',
      { cause },
    );
  }
  throw new AuditFault(file, null, 'this is not an Ed25519 private key');
}

/** Whole or not at all: the name appears when the content is on the disk; the first of two makers wins. */
async function createKeyFile(directory: string, file: string): Promise<string> {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const draft = await writeDraft(file, pem, 0o600);
  try {
    await link(draft, file);
  } catch (fault) {
    if (!hasCode(fault, 'EEXIST')) throw fault;
  } finally {
    await unlink(draft);
  }
  await syncDirectory(directory);
  return await readFile(file, 'utf8');
}

async function replace(file: string, text: string, mode: number): Promise<void> {
  const draft = await writeDraft(file, text, mode);
  await rename(draft, file);
}

async function writeDraft(file: string, text: string, mode: number): Promise<string> {
  const draft = `${file}.${randomUUID()}.draft`;
  const handle = await open(draft, 'wx', mode);
  try {
    await handle.writeFile(text);
    await handle.datasync();
  } finally {
    await handle.close();
  }
  return draft;
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (fault) {
    if (hasCode(fault, 'ENOENT')) return null;
    throw fault;
  }
}
