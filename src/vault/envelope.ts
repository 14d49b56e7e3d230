import { randomBytes } from 'node:crypto';
import { Refusal, SecretBytes } from '../core/index.ts';
import { KEY_BYTES, openedLength, openInto, seal } from './aead.ts';
import { blobContext, credentialContext, dataKeyContext } from './canonical.ts';
import type { Keyring } from './keyring.ts';
import type { SecureBuffer, SecureMemory } from './secure-memory.ts';
import type { CredentialRecord } from './store.ts';

type Unsealed = Omit<CredentialRecord, 'wrappedKey' | 'sealed' | 'kekId'>;

/** The associated data of a row's two sealed values. */
interface Contexts {
  readonly credential: Uint8Array;
  readonly dataKey: Uint8Array;
}

/** A secret that lies open in protected memory until it is released. */
export interface Opened {
  readonly secret: SecretBytes;
  release(): void;
}

/** Envelope encryption: each version of a credential has its own random data key, wrapped by the keyring. */
export class Envelope {
  readonly #keyring: Keyring;
  readonly #memory: SecureMemory;
  readonly #contexts = new WeakMap<CredentialRecord, Contexts>();

  constructor(keyring: Keyring, memory: SecureMemory) {
    this.#keyring = keyring;
    this.#memory = memory;
  }

  seal(row: Unsealed, secret: SecretBytes): CredentialRecord {
    const named = { ...row, kekId: this.#keyring.currentId };
    const dataKey = this.#memory.take(KEY_BYTES);
    try {
      dataKey.bytes.set(randomBytes(KEY_BYTES));
      return {
        ...named,
        wrappedKey: this.#wrap(named, dataKey),
        sealed: secret.use((bytes) => seal(dataKey.bytes, bytes, credentialContext(named))),
      };
    } finally {
      this.#memory.release(dataKey);
    }
  }

  /** Throws `Refusal('credential_unusable')` when any field of the row is not the one that was sealed (G2). */
  open(record: CredentialRecord): Opened {
    const dataKey = this.#unwrap(record);
    try {
      return this.#open(dataKey.bytes, record.sealed, this.#contextsOf(record).credential, record.name);
    } finally {
      this.#memory.release(dataKey);
    }
  }

  /** The same row with its data key under the current key-encryption key. */
  rewrap(record: CredentialRecord): CredentialRecord {
    const dataKey = this.#unwrap(record);
    try {
      const named = { ...record, kekId: this.#keyring.currentId };
      return { ...named, wrappedKey: this.#wrap(named, dataKey) };
    } finally {
      this.#memory.release(dataKey);
    }
  }

  /** For the product's own secrets (webhook secrets, CA keys). `context` names place and purpose. */
  sealBlob(context: string, bytes: Uint8Array): Uint8Array {
    const kekId = this.#keyring.currentId;
    const sealed = this.#keyring.use(kekId, (key) => seal(key, bytes, blobContext(context, kekId)));
    if (sealed === null) throw new TypeError(`the keyring does not know its own key ${kekId}`);
    return Buffer.concat([Buffer.from(`${kekId}\n`, 'latin1'), sealed]);
  }

  openBlob(context: string, blob: Uint8Array): Opened {
    const end = blob.indexOf(0x0a);
    const kekId = end < 0 ? '' : Buffer.from(blob.subarray(0, end)).toString('latin1');
    const opened = this.#keyring.use(kekId, (key) =>
      this.#open(key, blob.subarray(end + 1), blobContext(context, kekId), context),
    );
    if (opened === null) throw unusable(context, 'its key-encryption key is unknown');
    return opened;
  }

  /** Made once for a row as it was read: rows are never changed, another state of one is another object. */
  #contextsOf(record: CredentialRecord): Contexts {
    const known = this.#contexts.get(record);
    if (known !== undefined) return known;
    const made = { credential: credentialContext(record), dataKey: dataKeyContext(record) };
    this.#contexts.set(record, made);
    return made;
  }

  #wrap(
    row: Pick<CredentialRecord, 'tenant' | 'id' | 'version' | 'kekId'>,
    dataKey: SecureBuffer,
  ): Uint8Array {
    const wrapped = this.#keyring.use(row.kekId, (key) => seal(key, dataKey.bytes, dataKeyContext(row)));
    if (wrapped === null) throw new TypeError(`the keyring does not know its own key ${row.kekId}`);
    return wrapped;
  }

  #unwrap(record: CredentialRecord): SecureBuffer {
    const dataKey = this.#memory.take(KEY_BYTES);
    const done = this.#keyring.use(record.kekId, (key) =>
      openInto(dataKey.bytes, key, record.wrappedKey, this.#contextsOf(record).dataKey),
    );
    if (done === true) return dataKey;
    this.#memory.release(dataKey);
    throw unusable(
      record.name,
      done === null
        ? 'its key-encryption key is unknown'
        : 'its data key does not open: key or row was changed',
    );
  }

  #open(key: Uint8Array, sealed: Uint8Array, context: Uint8Array, name: string): Opened {
    const length = openedLength(sealed);
    if (length === null) throw unusable(name, 'the sealed value is too short');
    const buffer = this.#memory.take(length);
    if (!openInto(buffer.bytes, key, sealed, context)) {
      this.#memory.release(buffer);
      throw unusable(name, 'the sealed value does not open: the row is not the one that was sealed');
    }
    const secret = new SecretBytes(buffer.bytes);
    let released = false;
    return {
      secret,
      release: () => {
        if (released) return;
        released = true;
        secret.wipe();
        this.#memory.release(buffer);
      },
    };
  }
}

function unusable(name: string, internal: string): Refusal {
  return new Refusal('credential_unusable', { internal: `${name}: ${internal}` });
}
