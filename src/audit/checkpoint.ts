import { createPublicKey, hash as digest, type KeyObject, sign, verify } from 'node:crypto';

/** A signed statement of how many records a log has and what they are: the root of their Merkle tree. */
export interface Checkpoint {
  /** Names the log: `sallyport/audit/<node>`. */
  readonly origin: string;
  /** Number of records. */
  readonly size: number;
  /** Base64 of the RFC 6962 root hash over the first `size` records. */
  readonly root: string;
  /** The whole signed note (https://c2sp.org/tlog-checkpoint): keep it elsewhere to prove tail cuts. */
  readonly note: string;
}

/** Why a text is not a checkpoint. */
export class CheckpointFault extends Error {
  override readonly name = 'CheckpointFault';
}

/** Signature type of Ed25519 in signed notes (https://c2sp.org/signed-note). */
const ED25519 = 0x01;
const KEY_ID_BYTES = 4;
const SIGNATURE_BYTES = 64;
/** More than any note of ours; what stands in a file from outside is not read without end. */
const MAX_NOTE_CHARS = 16 * 1024;

export function originOf(node: string): string {
  return `sallyport/audit/${node}`;
}

/** Signs size and root as a note. `key` is an Ed25519 private key. */
export function signCheckpoint(
  o: { readonly node: string; readonly size: number; readonly root: Uint8Array },
  key: KeyObject,
): Checkpoint {
  const origin = originOf(o.node);
  const root = Buffer.from(o.root).toString('base64');
  const body = `${origin}\n${o.size}\n${root}\n`;
  const signature = Buffer.concat([keyId(origin, key), sign(null, Buffer.from(body), key)]);
  return { origin, size: o.size, root, note: `${body}\n— ${origin} ${signature.toString('base64')}\n` };
}

/** Reads a note; throws CheckpointFault. Says nothing about who signed it: see `isSignedBy`. */
export function parseCheckpoint(note: string): Checkpoint {
  if (note.length > MAX_NOTE_CHARS) throw new CheckpointFault('the checkpoint is too long');
  const { body } = splitNote(note);
  const [origin, size, root, ...rest] = body.split('\n');
  if (origin === undefined || origin === '' || size === undefined || root === undefined) {
    throw new CheckpointFault('the checkpoint lacks its origin, size or root');
  }
  if (!/^(0|[1-9][0-9]{0,15})$/.test(size) || !Number.isSafeInteger(Number(size))) {
    throw new CheckpointFault('the size of the checkpoint is not a number');
  }
  if (decodeBase64(root)?.length !== 32)
    throw new CheckpointFault('the root of the checkpoint is not a hash');
  if (rest.at(-1) !== '') throw new CheckpointFault('the text of the checkpoint does not end in a newline');
  return { origin, size: Number(size), root, note };
}

/** True when one of the signatures under the note is by `key` in the name of its origin. */
export function isSignedBy(checkpoint: Checkpoint, key: KeyObject): boolean {
  const { body, signatures } = splitNote(checkpoint.note);
  const id = keyId(checkpoint.origin, key);
  return signatures.some(
    (signature) =>
      signature.name === checkpoint.origin &&
      signature.bytes.length === KEY_ID_BYTES + SIGNATURE_BYTES &&
      signature.bytes.subarray(0, KEY_ID_BYTES).equals(id) &&
      verify(null, Buffer.from(body), key, signature.bytes.subarray(KEY_ID_BYTES)),
  );
}

/** The first four bytes of SHA-256 over name, newline, signature type and public key (signed-note). */
function keyId(name: string, key: KeyObject): Buffer {
  const raw = publicHalf(key).export({ format: 'jwk' }).x;
  if (raw === undefined) throw new TypeError('checkpoints are signed with Ed25519 keys');
  const input = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(ED25519), Buffer.from(raw, 'base64url')]);
  return digest('sha256', input, 'buffer').subarray(0, KEY_ID_BYTES);
}

function publicHalf(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType !== 'ed25519') throw new TypeError('checkpoints are signed with Ed25519 keys');
  return key.type === 'private' ? createPublicKey(key) : key;
}

interface NoteSignature {
  readonly name: string;
  readonly bytes: Buffer;
}

function splitNote(note: string): { readonly body: string; readonly signatures: readonly NoteSignature[] } {
  const border = note.lastIndexOf('\n\n');
  if (border < 0 || !note.endsWith('\n')) throw new CheckpointFault('the text is not a signed note');
  const lines = note.slice(border + 2, -1).split('\n');
  return { body: note.slice(0, border + 1), signatures: lines.map(parseSignature) };
}

function parseSignature(line: string): NoteSignature {
  const match = /^— ([^ +]+) ([A-Za-z0-9+/]+={0,2})$/.exec(line);
  const bytes = match?.[2] === undefined ? null : decodeBase64(match[2]);
  if (match?.[1] === undefined || bytes === null) {
    throw new CheckpointFault('a signature line of the checkpoint is malformed');
  }
  return { name: match[1], bytes };
}

/** Null unless the text is exactly what encoding the bytes gives: a second spelling would go unnoticed. */
function decodeBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : null;
}
