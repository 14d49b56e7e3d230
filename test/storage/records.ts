import type { DeliveryRecord, SinkRecord } from '../../src/alerts/store.ts';
import type { ApprovalRecord } from '../../src/approvals/store.ts';
import type { Service } from '../../src/core/index.ts';
import type { DecoyRecord } from '../../src/detector/store.ts';
import type {
  AgentRecord,
  Issue,
  OidcRow,
  PassportRecord,
  RevocationRecord,
} from '../../src/passport/store.ts';
import type { CredentialRecord } from '../../src/vault/store.ts';

export const agent = (changes: Partial<AgentRecord> = {}): AgentRecord => ({
  tenant: 'default',
  id: 'agent_1',
  name: 'builder',
  owner: 'team-a',
  jwks: [{ kty: 'EC', crv: 'P-256', kid: 'k1', x: 'not-a-real-x', y: 'not-a-real-y' }],
  secrets: [{ id: 'secret_1', hash: 'ab'.repeat(32), createdAt: 1, expiresAt: null }],
  certificates: [{ x5t: 'not-a-real-thumbprint', subject: 'CN=builder', expiresAt: 9_000 }],
  ratchet: true,
  scopes: ['github:read', 'npm:write'],
  redirectUris: ['https://app.example/callback'],
  publicClient: false,
  device: true,
  purpose: 'builds “things”, 日本語 too',
  status: 'active',
  createdAt: 1_000,
  updatedAt: 1_000,
  revision: 1,
  ...changes,
});

export const passport = (changes: Partial<PassportRecord> = {}): PassportRecord => ({
  tenant: 'default',
  jti: 'jti_1',
  agentId: 'agent_1',
  owner: 'team-a',
  user: null,
  sid: 'sid_1',
  chain: ['hop_1', 'hop_2'],
  scope: 'github:read',
  audience: 'https://gate.test',
  jkt: 'thumbprint',
  x5t: null,
  grant: 'client_credentials',
  issuedAt: 1_000,
  expiresAt: 301_000,
  parent: 'jti_0',
  lineage: ['agent_1', 'agent_0'],
  details: [{ type: 'tool_call', tool: 'repo.read', arguments: { repo: { in: ['a', 'b'] } } }],
  kid: 'k1',
  credential: 'k1',
  statusIndex: 7,
  ...changes,
});

export const revocation = (changes: Partial<RevocationRecord> = {}): RevocationRecord => ({
  tenant: 'default',
  id: 'revocation_1',
  kind: 'token',
  value: 'jti_1',
  revokedAt: 2_000,
  expiresAt: 301_000,
  by: 'admin',
  reason: 'left on a train',
  ...changes,
});

export const oidcRow = (changes: Partial<OidcRow> = {}): OidcRow => ({
  model: 'AuthorizationCode',
  id: 'code_1',
  payload: { kind: 'AuthorizationCode', claims: { nested: [1, null, 'x', true] } },
  grantId: 'grant_1',
  userCode: null,
  uid: null,
  expiresAt: 10_000,
  consumedAt: null,
  ...changes,
});

/** Something that may be used once. */
export const onceRow = (id: string, expiresAt = 9_000): OidcRow =>
  oidcRow({ model: 'ReplayDetection', id, expiresAt });

export const issue = (changes: Partial<Issue> & { jti?: string } = {}): Issue => {
  const { jti = 'jti_1', ...rest } = changes;
  return {
    passport: passport({ jti, statusIndex: null }),
    agentRevision: 1,
    once: [onceRow(`assertion of ${jti}`), onceRow(`proof of ${jti}`)],
    statusEntries: [11, 12, 13],
    entryFreeAt: 400_000,
    ...rest,
  };
};

export const credential = (changes: Partial<CredentialRecord> = {}): CredentialRecord => ({
  tenant: 'default',
  id: 'credential_1',
  name: 'github',
  version: 1,
  binding: {
    destinations: [{ scheme: 'https', host: 'api.github.test', port: 443 }],
    upstreamCa: null,
    allowPrivate: false,
    injector: { kind: 'header', name: 'x-api-key', prefix: '' },
  },
  status: 'active',
  kekId: 'kek_1',
  wrappedKey: Uint8Array.from([0, 1, 2, 255]),
  sealed: Uint8Array.from([9, 0, 8]),
  createdAt: 1_000,
  createdBy: 'admin',
  revokedAt: null,
  ...changes,
});

export const approval = (changes: Partial<ApprovalRecord> = {}): ApprovalRecord => ({
  tenant: 'default',
  id: 'approval_1',
  callDigest: 'digest-1',
  sid: 'sid_1',
  agentId: 'agent_1',
  owner: 'team-a',
  user: 'alice',
  shown: { method: 'DELETE', url: 'https://api.github.test/repos/a' },
  status: 'pending',
  requestedAt: 1_000,
  expiresAt: 10_000,
  decidedAt: null,
  decidedBy: null,
  reason: null,
  approversNeeded: 1,
  first: null,
  chain: ['hop_1'],
  ...changes,
});

export const sink = (changes: Partial<SinkRecord> = {}): SinkRecord => ({
  tenant: 'default',
  id: 'sink_1',
  name: 'siem',
  kind: 'webhook',
  options: { url: 'https://siem.test/hook' },
  sealedSecret: Uint8Array.from([1, 2, 3]),
  minSeverity: 'medium',
  status: 'active',
  createdAt: 1_000,
  ...changes,
});

export const delivery = (changes: Partial<DeliveryRecord> = {}): DeliveryRecord => ({
  sinkId: 'sink_1',
  sequence: 1,
  alertId: 'alert_1',
  attempts: 0,
  nextAttemptAt: 1_000,
  status: 'pending',
  lastError: null,
  ...changes,
});

export const decoy = (changes: Partial<DecoyRecord> = {}): DecoyRecord => ({
  tenant: 'default',
  id: 'decoy_1',
  kind: 'credential',
  name: 'old admin key',
  value: 'fake-decoy-value-1',
  sid: null,
  severity: 'critical',
  plantedAt: 1_000,
  plantedBy: 'admin',
  ...changes,
});

export const service = (changes: Partial<Service> = {}): Service => ({
  tenant: 'default',
  name: 'github',
  origins: [
    { scheme: 'https', host: 'api.github.test', port: 443 },
    { scheme: 'https', host: 'alt.github.test', port: 8443 },
  ],
  credential: 'github',
  encodedSlash: 'refuse',
  allowPrivate: false,
  upstreamCa: null,
  inspectBody: true,
  ...changes,
});

/** How many of `count` parallel attempts say that they won. */
export async function winners(count: number, attempt: (index: number) => Promise<boolean>): Promise<number> {
  const results = await Promise.all(Array.from({ length: count }, (_, index) => attempt(index)));
  return results.filter(Boolean).length;
}
