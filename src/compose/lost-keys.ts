import { join } from 'node:path';
import { RECOVERY_FILE } from '../admin/index.ts';
import { KeyFileError, readKeyFile } from '../files/index.ts';
import type { Storage } from '../storage/index.ts';

export const ADMIN_PEPPER_FILE = 'admin-pepper.key';

const ONE = { after: null, limit: 1 } as const;

/**
 * Throws KeyFileError when the database was written with keys that are gone. A start would make new ones, and
 * all that was made with the old ones (credentials, client secrets, admin tokens) would be dead without a word.
 */
export async function assertNoLostKeys(o: {
  readonly keysDirectory: string;
  readonly storage: Pick<Storage, 'credentials' | 'agents' | 'adminTokens'>;
  readonly tenant: string;
}): Promise<void> {
  const { storage, tenant } = o;
  const check = async (name: string, isNeeded: () => Promise<boolean>, remedy: string): Promise<void> => {
    const file = join(o.keysDirectory, name);
    if ((await readKeyFile(file)) !== null || !(await isNeeded())) return;
    throw new KeyFileError(
      file,
      `is missing, and the database was written with it. Restore the keys folder from a backup. ${remedy}`,
    );
  };
  await check(
    'vault.json',
    async () => (await storage.credentials.list(tenant, ONE)).length > 0,
    'There is no other way to open the credentials: without a backup, move the data folder away and begin anew.',
  );
  await check(
    'passport-pepper.key',
    async () => (await storage.agents.list(tenant, ONE)).length > 0,
    withNewKey(
      'passport-pepper.key',
      'sallyport agent rotate NAME --secret, for each agent with a client secret',
    ),
  );
  await check(
    ADMIN_PEPPER_FILE,
    async () => (await storage.adminTokens.count()) > 0,
    withNewKey(
      ADMIN_PEPPER_FILE,
      `an empty file keys/${RECOVERY_FILE}, mode 0600, which asks for a new admin token`,
    ),
  );
}

function withNewKey(name: string, then: string): string {
  return `Without a backup: (umask 077; openssl rand -hex 32 > keys/${name}), then ${then}.`;
}
