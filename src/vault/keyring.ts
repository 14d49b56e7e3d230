import { hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { SecretBytes } from '../core/index.ts';
import { createKeyFile, readKeyFile, replaceKeyFile } from '../files/index.ts';
import { KEY_BYTES } from './aead.ts';
import { canonicalFields } from './canonical.ts';
import { makeSeal, SEAL_FILES, type SealChoice } from './seals/index.ts';
import { GuardedKey } from './secure-memory.ts';

const STATE_FILE = 'vault.json';
const KEK_ID = /^kek-([1-9][0-9]{0,5})$/;

const stateSchema = z.strictObject({
  format: z.literal(1),
  seal: z.enum(['file', 'passphrase']),
  /** Derived from the root key: a root key that was replaced is told at once, not at the first secret. */
  rootCheck: z.base64url().length(22),
  /** The generation that new secrets are wrapped with. */
  generation: z.int().min(1).max(999_999),
});
type State = z.infer<typeof stateSchema>;

/**
 * Root key → HKDF → key-encryption keys. Generations are derived, not stored, so that every node that holds
 * the root key can open what any node sealed, and no file of a generation can be lost.
 */
export class Keyring {
  readonly #root: GuardedKey;
  readonly #statePath: string;
  readonly #keys = new Map<string, GuardedKey>();
  #state: State;

  private constructor(root: GuardedKey, statePath: string, state: State) {
    this.#root = root;
    this.#statePath = statePath;
    this.#state = state;
  }

  /** Opens the folder, or makes root key and state at first start. Throws an error that names the fault. */
  static async open(directory: string, choice: SealChoice): Promise<Keyring> {
    const statePath = join(directory, STATE_FILE);
    const state = await readState(statePath);
    const seal = makeSeal(choice);
    const rootPath = join(directory, SEAL_FILES[choice.kind]);
    if (state !== null && state.seal !== choice.kind) {
      throw otherSeal(directory, state.seal, choice.kind);
    }
    let root = await seal.unseal(rootPath);
    if (root === null) {
      if (state !== null) throw missingRoot(rootPath);
      const fresh = randomBytes(KEY_BYTES);
      await seal.seal(rootPath, fresh);
      fresh.fill(0);
      // Another process may have been first; its key counts.
      root = await seal.unseal(rootPath);
      if (root === null) throw new Error(`${rootPath} vanished while it was made`);
    }
    const rootCheck = Buffer.from(derive(root, ['sallyport/vault/root-check/1']).subarray(0, 16));
    const guarded = new GuardedKey(root);
    if (state !== null) {
      if (!timingSafeEqual(rootCheck, Buffer.from(state.rootCheck, 'base64url'))) {
        throw new Error(
          `${rootPath} is not the root key that ${statePath} was made with: restore it from a backup`,
        );
      }
      return new Keyring(guarded, statePath, state);
    }
    const first: State = {
      format: 1,
      seal: choice.kind,
      rootCheck: rootCheck.toString('base64url'),
      generation: 1,
    };
    await createKeyFile(statePath, serialize(first));
    return new Keyring(guarded, statePath, first);
  }

  get currentId(): string {
    return `kek-${this.#state.generation}`;
  }

  /** What `rotate` will begin. */
  get nextId(): string {
    return `kek-${this.#state.generation + 1}`;
  }

  /** Lends a key-encryption key; null when the id is none of ours. */
  use<T>(id: string, read: (key: Uint8Array) => T): T | null {
    const key = this.#keyOf(id);
    return key === null ? null : key.use(read);
  }

  /** A key of its own for these names, apart from every key-encryption key. */
  derive(names: readonly string[]): SecretBytes {
    return new SecretBytes(this.#root.use((root) => derive(root, ['sallyport/vault/derived/1', ...names])));
  }

  /** The next generation, durable when this resolves; older ones stay usable for what they wrapped. */
  async rotate(): Promise<string> {
    const next: State = { ...this.#state, generation: this.#state.generation + 1 };
    await replaceKeyFile(this.#statePath, serialize(stateSchema.parse(next)));
    this.#state = next;
    return this.currentId;
  }

  close(): void {
    this.#root.wipe();
    for (const key of this.#keys.values()) key.wipe();
    this.#keys.clear();
  }

  #keyOf(id: string): GuardedKey | null {
    const known = this.#keys.get(id);
    if (known !== undefined) return known;
    // Ids come from rows of the database: a made-up one must not fill memory with keys.
    if (!KEK_ID.test(id)) return null;
    if (this.#keys.size >= MAX_CACHED_KEYS) this.#forgetOldest();
    const key = new GuardedKey(this.#root.use((root) => derive(root, ['sallyport/vault/kek/1', id])));
    this.#keys.set(id, key);
    return key;
  }

  #forgetOldest(): void {
    for (const [id, key] of this.#keys) {
      if (id === this.currentId) continue;
      key.wipe();
      this.#keys.delete(id);
      return;
    }
  }
}

/**
 * Looks at the vault's files without making any; false when there are none. A root key in a file is compared with
 * what the vault was made with; one under a passphrase stays closed. Throws an error that names the file.
 */
export async function checkVaultKeys(directory: string, kind: SealChoice['kind']): Promise<boolean> {
  const rootPath = join(directory, SEAL_FILES[kind]);
  const state = await readState(join(directory, STATE_FILE));
  const root = await readKeyFile(rootPath);
  if (state === null && root === null) return false;
  if (state === null) {
    throw new Error(`${join(directory, STATE_FILE)} is missing beside ${rootPath}: restore it from a backup`);
  }
  if (state.seal !== kind) throw otherSeal(directory, state.seal, kind);
  if (root === null) throw missingRoot(rootPath);
  if (kind === 'file') (await Keyring.open(directory, { kind })).close();
  return true;
}

function otherSeal(directory: string, made: SealChoice['kind'], set: SealChoice['kind']): Error {
  return new Error(
    `${directory} is sealed by ${made} (${SEAL_FILES[made]}), but vault.seal says ${set}: set vault.seal to ${made}`,
  );
}

function missingRoot(path: string): Error {
  return new Error(`${path} is missing, and nothing in the vault opens without it: restore it from a backup`);
}

const MAX_CACHED_KEYS = 32;

/** HKDF-SHA256 (RFC 5869) with an empty salt: the root key is uniformly random already. */
function derive(root: Uint8Array, info: readonly string[]): Buffer {
  return Buffer.from(hkdfSync('sha256', root, new Uint8Array(), canonicalFields(info), KEY_BYTES));
}

async function readState(path: string): Promise<State | null> {
  const bytes = await readKeyFile(path);
  if (bytes === null) return null;
  try {
    return stateSchema.parse(JSON.parse(bytes.toString('utf8')));
  } catch (error) {
    throw new Error(`${path} is damaged; restore it from a backup`, { cause: error });
  }
}

function serialize(state: State): Buffer {
  return Buffer.from(`${JSON.stringify(state, null, 2)}\n`);
}
