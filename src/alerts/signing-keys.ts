import { randomBytes } from 'node:crypto';
import { Refusal, SecretBytes } from '../core/index.ts';

const PREFIX = 'whsec_';
/** Standard Webhooks: between 24 and 64 bytes. */
const MIN_BYTES = 24;
const MAX_BYTES = 64;
const GENERATED_BYTES = 32;

/** The keys that a sink signs with. After a rotation the one before signs too, until receivers have changed. */
export interface SigningKeys {
  readonly current: Uint8Array;
  readonly previous: { readonly key: Uint8Array; readonly until: number } | null;
}

/** A fresh secret in the form that Standard Webhooks libraries take: `whsec_` and base64. */
export function generateSecret(): SecretBytes {
  const key = randomBytes(GENERATED_BYTES);
  const secret = SecretBytes.fromUtf8(PREFIX + key.toString('base64'));
  key.fill(0);
  return secret;
}

/** Reads a secret that an administrator gave. Throws Refusal `input_invalid`, which never shows it. */
export function keyOf(secret: SecretBytes): Uint8Array {
  return secret.use((bytes) => {
    const text = Buffer.from(bytes).toString('latin1');
    const encoded = text.slice(PREFIX.length);
    const key = Buffer.from(encoded, 'base64');
    const wellFormed = text.startsWith(PREFIX) && key.toString('base64') === encoded;
    if (wellFormed && key.length >= MIN_BYTES && key.length <= MAX_BYTES) return key;
    throw new Refusal('input_invalid', {
      detail: `The secret of a webhook is ${PREFIX} and the base64 of ${MIN_BYTES} to ${MAX_BYTES} bytes.`,
    });
  });
}

const LAYOUT = 1;

/** Bytes for the vault to seal: layout, end of the overlap (milliseconds), then each key behind its length. */
export function encodeKeys(keys: SigningKeys): SecretBytes {
  const parts = keys.previous === null ? [keys.current] : [keys.current, keys.previous.key];
  const bytes = Buffer.alloc(9 + parts.reduce((sum, part) => sum + 1 + part.length, 0));
  bytes.writeUInt8(LAYOUT, 0);
  bytes.writeDoubleBE(keys.previous?.until ?? 0, 1);
  let offset = 9;
  for (const part of parts) {
    bytes.writeUInt8(part.length, offset);
    bytes.set(part, offset + 1);
    offset += 1 + part.length;
  }
  return new SecretBytes(bytes);
}

/** Throws TypeError for bytes that `encodeKeys` did not make. */
export function decodeKeys(secret: SecretBytes): SigningKeys {
  return secret.use((lent) => {
    // The bytes are ours for the time of this call only.
    const bytes = Buffer.from(lent);
    if (bytes.length < 10 || bytes.readUInt8(0) !== LAYOUT) throw unreadable();
    const keys: Buffer[] = [];
    for (let offset = 9; offset < bytes.length; ) {
      const length = bytes.readUInt8(offset);
      if (length < MIN_BYTES || offset + 1 + length > bytes.length) throw unreadable();
      keys.push(bytes.subarray(offset + 1, offset + 1 + length));
      offset += 1 + length;
    }
    const [current, previous, ...more] = keys;
    if (current === undefined || more.length > 0) throw unreadable();
    const until = bytes.readDoubleBE(1);
    return { current, previous: previous === undefined ? null : { key: previous, until } };
  });
}

/** Overwrites the keys once they were used. */
export function wipeKeys(keys: SigningKeys | null): void {
  keys?.current.fill(0);
  keys?.previous?.key.fill(0);
}

function unreadable(): TypeError {
  return new TypeError('the sealed secret of a sink does not hold signing keys');
}
