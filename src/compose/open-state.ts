import type { Config } from '../config/index.ts';
import type { SecretBytes } from '../core/index.ts';
import { openStorage, type Storage } from '../storage/index.ts';
import { openVault, type Vault } from '../vault/index.ts';
import { startHousekeeping } from './housekeeping.ts';
import { assertNoLostKeys } from './lost-keys.ts';
import { type Records, TENANT, type Wiring } from './service.ts';

/** What is kept: the database, and the secrets sealed in it. */
export async function openState(
  { config, clock, onFault, stack }: Wiring,
  { audit }: Records,
  passphrase: SecretBytes | null,
): Promise<{ readonly storage: Storage; readonly vault: Vault }> {
  const keysDirectory = config.paths.keys;
  const storage = await openStorageFor(config, { clock, onFault });
  stack.defer(() => storage.close());
  stack.defer(startHousekeeping({ storage, clock, onFault }));
  await assertNoLostKeys({ keysDirectory, storage, tenant: TENANT });
  const vault = await openVault({
    store: storage.credentials,
    keysDirectory,
    seal: sealOf(config, passphrase),
    clock,
    audit,
  });
  stack.defer(() => vault.close());
  return { storage, vault };
}

function openStorageFor(config: Config, o: Pick<Wiring, 'clock' | 'onFault'>): Promise<Storage> {
  const { storage, paths } = config;
  if (storage.kind === 'postgres' && storage.url !== null) {
    return openStorage({ kind: 'postgres', url: storage.url, ...o });
  }
  return openStorage({ kind: 'sqlite', file: paths.database, durability: storage.durability, ...o });
}

function sealOf(config: Config, passphrase: SecretBytes | null) {
  if (config.vault.seal === 'file') return { kind: 'file' } as const;
  if (passphrase === null) throw new TypeError('the vault is sealed with a passphrase, and none was given');
  return { kind: 'passphrase', passphrase } as const;
}
