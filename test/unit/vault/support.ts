import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAuditLog, type Receipt } from '../../../src/audit/index.ts';
import {
  type AuditEvent,
  type Call,
  type Origin,
  SecretBytes,
  type Service,
} from '../../../src/core/index.ts';
import type { VerifiedPassport } from '../../../src/passport/index.ts';
import { type Permit, permit } from '../../../src/policy/index.ts';
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

/** A real permit for one call; the passport behind it is a stand-in, since only the issuer's flow makes one. */
export function permitFor(o: {
  name: string;
  version: number;
  origin?: Origin | null;
  tenant?: string;
}): Permit {
  const tenant = o.tenant ?? 'default';
  const origin = o.origin === undefined ? API : o.origin;
  const common = { id: 'call_test', tenant, receivedAt: 0 } as const;
  const service: Service = {
    tenant,
    name: 'echo',
    origins: [API],
    credential: o.name,
    encodedSlash: 'refuse',
    allowPrivate: false,
    upstreamCa: null,
    inspectBody: false,
  };
  const call: Call =
    origin === null
      ? {
          ...common,
          kind: 'tool',
          door: 'decide',
          tool: 'echo',
          args: {},
          hostSessionId: 's',
          hostCallId: 'c',
        }
      : {
          ...common,
          kind: 'http',
          door: 'reverse',
          service,
          origin,
          method: 'GET',
          path: '/',
          query: '',
          headers: [],
          body: { kind: 'none' },
        };
  const subject = { tenant, agentId: 'agent_test', owner: 'tests', user: null, sid: 'sid_test', chain: [] };
  return permit({
    passport: {
      subject,
      scopes: new Set(['echo:read', 'tool:echo', 'tools:call']),
      details: [],
    } as unknown as VerifiedPassport,
    call,
    decision: { effect: 'allow', policies: ['test'], reason: 'test', generation: 1 },
    verdict: { effect: 'allow', score: 0, findings: [], retryAfterMs: null, late: false },
    approval: null,
    callDigest: null,
    credential: { name: o.name, version: o.version },
  });
}

/** The receipt of a record that was really written. */
export const RECEIPT = await writeRecord();

async function writeRecord(): Promise<Receipt> {
  const directory = await mkdtemp(join(tmpdir(), 'sallyport-audit-'));
  const log = await openAuditLog({
    directory,
    durability: 'process',
    node: 'test',
    clock: { now: () => 0 },
    checkpointKey: generateKeyPairSync('ed25519').privateKey,
  });
  const receipt = await log.append({
    type: 'gate.started',
    tenant: 'default',
    at: 0,
    data: { version: 'test', node: 'test', settings: {} },
  });
  await log.close();
  await rm(directory, { recursive: true, force: true });
  return receipt;
}
