/** The part of sodium-native that the vault uses; the package ships no types. */
declare module 'sodium-native' {
  interface Sodium {
    readonly crypto_aead_xchacha20poly1305_ietf_KEYBYTES: number;
    readonly crypto_aead_xchacha20poly1305_ietf_NPUBBYTES: number;
    readonly crypto_aead_xchacha20poly1305_ietf_ABYTES: number;
    crypto_aead_xchacha20poly1305_ietf_encrypt(
      ciphertext: Uint8Array,
      message: Uint8Array,
      associatedData: Uint8Array | null,
      secretNonce: null,
      nonce: Uint8Array,
      key: Uint8Array,
    ): number;
    /** Throws when the ciphertext, the associated data, the nonce or the key is another. */
    crypto_aead_xchacha20poly1305_ietf_decrypt(
      message: Uint8Array,
      secretNonce: null,
      ciphertext: Uint8Array,
      associatedData: Uint8Array | null,
      nonce: Uint8Array,
      key: Uint8Array,
    ): number;
    randombytes_buf(buffer: Uint8Array): void;
    sodium_malloc(bytes: number): Buffer;
    sodium_memzero(buffer: Uint8Array): void;
    sodium_mprotect_noaccess(buffer: Uint8Array): void;
    sodium_mprotect_readonly(buffer: Uint8Array): void;
    sodium_mprotect_readwrite(buffer: Uint8Array): void;
  }
  const sodium: Sodium;
  export default sodium;
}
