import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Receipt } from '../../../src/audit/index.ts';
import { type AuditEvent, type Origin, SecretBytes } from '../../../src/core/index.ts';
import type { Permit } from '../../../src/policy/index.ts';
import { openStorage } from '../../../src/storage/index.ts';
import {
  type CredentialBinding,
  type CredentialStore,
  openVault,
  type SealChoice,
  type Vault,
} from '../../../src/vault/index.ts';

export const API: Origin = { scheme: 'https', host: 'api.example.com', port: 443 };

export const BEARER: CredentialBinding = {
  destinations: [API],
  upstreamCa: null,
  allowPrivate: false,
  injector: { kind: 'bearer' },
};

/** A secret that nobody can take for a real one. */
export function fakeSecret(): string {
  return `fake-${randomBytes(18).toString('hex')}`;
}

export function secretOf(text: string): SecretBytes {
  return SecretBytes.fromUtf8(text);
}

export function textOf(secret: SecretBytes): string {
  return secret.use((bytes) => Buffer.from(bytes).toString('utf8'));
}

export interface Bench {
  readonly vault: Vault;
  readonly store: CredentialStore;
  readonly keys: string;
  readonly events: AuditEvent[];
  /** From now on nothing can be recorded. */
  failAudit(failing: boolean): void;
  /** Closes the vault and opens it again over the same store and folder. */
  reopen(seal?: SealChoice): Promise<Vault>;
  close(): Promise<void>;
}

/** A vault over a real SQLite database and a real folder of keys. */
export async function openBench(seal: SealChoice = { kind: 'file' }): Promise<Bench> {
  const home = await mkdtemp(join(tmpdir(), 'sallyport-vault-'));
  const keys = join(home, 'keys');
  const storage = await openStorage({ kind: 'sqlite', file: join(home, 'gate.db'), durability: 'process' });
  const events: AuditEvent[] = [];
  let auditFails = false;
  const open = (choice: SealChoice) =>
    openVault({
      store: storage.credentials,
      keysDirectory: keys,
      seal: choice,
      clock: { now: () => Date.now() },
      audit: async (event) => {
        if (auditFails) throw new Error('no record can be written');
        events.push(event);
      },
    });
  let vault = await open(seal);
  return {
    get vault() {
      return vault;
    },
    store: storage.credentials,
    keys,
    events,
    failAudit(failing) {
      auditFails = failing;
    },
    async reopen(choice = seal) {
      await vault.close();
      vault = await open(choice);
      return vault;
    },
    async close() {
      await vault.close();
      await storage.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/**
 * What `use` reads of the proofs. The classes live in policy and audit alone, so a unit test of the vault
 * stands in for them here, and the flow tests use the real ones.
 */
export function permitFor(o: {
  name: string;
  version: number;
  origin?: Origin | null;
  tenant?: string;
}): Permit {
  const permit = {
    callId: 'call_test',
    tenant: o.tenant ?? 'default',
    origin: o.origin === undefined ? API : o.origin,
    credential: { name: o.name, version: o.version },
  };
  return permit as unknown as Permit;
}

export const RECEIPT = { sequence: 1, hash: '00' } as unknown as Receipt;
