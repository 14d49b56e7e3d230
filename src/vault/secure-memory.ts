import sodium from 'sodium-native';

/**
 * Memory for keys and opened secrets: locked against swapping as far as the system allows, fenced by guard
 * pages, left out of core dumps, and wiped before it is used again.
 *
 * Slots are pooled by size: an allocation costs system calls, and memory that was given back to the system
 * would crash the process if a caller read it late; here he reads zeros.
 */
export class SecureMemory {
  readonly #free = new Map<number, Buffer[]>();

  /** A zeroed buffer of exactly `bytes` bytes; give it back with `release`. */
  take(bytes: number): SecureBuffer {
    const size = slotSize(bytes);
    const slot = this.#free.get(size)?.pop() ?? sodium.sodium_malloc(size);
    sodium.sodium_memzero(slot);
    return { bytes: slot.subarray(0, bytes), slot };
  }

  release(buffer: SecureBuffer): void {
    sodium.sodium_memzero(buffer.slot);
    const size = buffer.slot.length;
    const slots = this.#free.get(size) ?? [];
    if (slots.length < MAX_IDLE_SLOTS) slots.push(buffer.slot);
    this.#free.set(size, slots);
  }
}

export interface SecureBuffer {
  readonly bytes: Buffer;
  readonly slot: Buffer;
}

const MAX_IDLE_SLOTS = 64;

/** Powers of two, from one that holds most tokens. */
function slotSize(bytes: number): number {
  let size = 256;
  while (size < bytes) size *= 2;
  return size;
}

/** A 32-byte key that can be read only while it is used. */
export class GuardedKey {
  readonly #bytes: Buffer;
  #wiped = false;

  /** Copies `source` into protected memory and wipes it. */
  constructor(source: Uint8Array) {
    this.#bytes = sodium.sodium_malloc(source.length);
    this.#bytes.set(source);
    sodium.sodium_memzero(source);
    sodium.sodium_mprotect_noaccess(this.#bytes);
  }

  /** Lends the key for the time of one synchronous call. */
  use<T>(read: (key: Uint8Array) => T): T {
    if (this.#wiped) throw new TypeError('this key was wiped; open the vault again');
    sodium.sodium_mprotect_readonly(this.#bytes);
    try {
      return read(this.#bytes);
    } finally {
      sodium.sodium_mprotect_noaccess(this.#bytes);
    }
  }

  wipe(): void {
    if (this.#wiped) return;
    this.#wiped = true;
    sodium.sodium_mprotect_readwrite(this.#bytes);
    sodium.sodium_memzero(this.#bytes);
  }
}
