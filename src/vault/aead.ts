/// <reference path="./sodium-native.d.ts" />
import sodium from 'sodium-native';

const NONCE_BYTES = sodium.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
const TAG_BYTES = sodium.crypto_aead_xchacha20poly1305_ietf_ABYTES;
export const KEY_BYTES = sodium.crypto_aead_xchacha20poly1305_ietf_KEYBYTES;

/**
 * XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03): nonce || ciphertext || tag. Nonces of 24 bytes may be
 * random without a birthday limit that matters.
 */
export function seal(key: Uint8Array, message: Uint8Array, associatedData: Uint8Array): Uint8Array {
  const sealed = Buffer.alloc(NONCE_BYTES + message.length + TAG_BYTES);
  const nonce = sealed.subarray(0, NONCE_BYTES);
  sodium.randombytes_buf(nonce);
  sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
    sealed.subarray(NONCE_BYTES),
    message,
    associatedData,
    null,
    nonce,
    key,
  );
  return sealed;
}

/** Length of the message in a sealed value; null when it is too short to be one. */
export function openedLength(sealed: Uint8Array): number | null {
  const length = sealed.length - NONCE_BYTES - TAG_BYTES;
  return length < 0 ? null : length;
}

/** Opens into `target` (`openedLength` bytes). False when key, bytes or associated data are not the same. */
export function openInto(
  target: Uint8Array,
  key: Uint8Array,
  sealed: Uint8Array,
  associatedData: Uint8Array,
): boolean {
  if (openedLength(sealed) !== target.length) return false;
  try {
    sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
      target,
      null,
      sealed.subarray(NONCE_BYTES),
      associatedData,
      sealed.subarray(0, NONCE_BYTES),
      key,
    );
    return true;
  } catch {
    return false;
  }
}
