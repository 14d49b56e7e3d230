import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openStorage, type Storage } from '../../src/storage/index.ts';
import {
  agent,
  approval,
  credential,
  decoy,
  delivery,
  oidcRow,
  passport,
  revocation,
  service,
  sink,
} from './records.ts';

/** Whole tables are read at start (all, allCurrent) and where an administrator lists a small one. */
const READ_WHOLE = /^select .* from "(revocations|credentials|decoys|sinks|services|admin_tokens)"/;

/** Serve only queries that repeat their condition to the letter. */
const PARTIAL_INDICES = [
  'agents_name',
  'passports_status',
  'passports_user',
  'oidc_rows_grant',
  'oidc_rows_user_code',
  'oidc_rows_uid',
  'credentials_active',
  'approvals_live',
  'approvals_user',
  'deliveries_due',
  'deliveries_finished',
];

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-plans-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('no look-up, change or clean-up reads a whole table', async () => {
  const file = join(folder, 'a.db');
  const prepare = vi.spyOn(DatabaseSync.prototype, 'prepare');
  const storage = await openStorage({ kind: 'sqlite', file, durability: 'process' });
  prepare.mockClear();
  await callEverything(storage);
  const texts = [...new Set(prepare.mock.calls.map(([text]) => text))].filter((text) =>
    /^(select|insert|update|delete)/.test(text),
  );
  prepare.mockRestore();
  await storage.close();

  const database = new DatabaseSync(file);
  const steps = texts.flatMap((text) =>
    database
      .prepare(`explain query plan ${text}`)
      .all(...Array(text.split('?').length - 1).fill(null))
      .map((row) => ({ text, detail: String(row.detail) })),
  );
  database.close();
  const scans = steps.filter(
    ({ text, detail }) => /\bSCAN (?!\d+-ROW VALUES)|TEMP B-TREE/.test(detail) && !READ_WHOLE.test(text),
  );
  const used = (index: string) => steps.some(({ detail }) => detail.includes(`INDEX ${index} `));
  expect(texts.length).toBeGreaterThan(50);
  expect(scans).toEqual([]);
  expect(PARTIAL_INDICES.filter((index) => !used(index))).toEqual([]);
});

async function callEverything(s: Storage): Promise<void> {
  const page = { after: 'a', limit: 5 };
  await s.agents.insert(agent());
  await s.agents.update(agent({ revision: 2 }));
  await s.agents.get('default', 'agent_1');
  await s.agents.byName('default', 'builder');
  await s.agents.list('default', page);
  await s.passports.insert(passport());
  await s.passports.get('default', 'jti_1');
  await s.passports.list('default', page);
  await s.passports.list('default', { ...page, agentId: 'agent_1', liveAt: 1 });
  await s.passports.list('default', { ...page, after: null, userId: 'user_1', liveAt: 1 });
  await s.passports.withStatus('default', { from: 0, to: 9, liveAt: 1 });
  await s.passports.deleteExpired(1);
  await s.callCounts.take({ tenant: 'default', hop: 'h', detail: 0, limit: 2, expiresAt: 1 });
  await s.callCounts.used('default', 'h', 0);
  await s.callCounts.deleteExpired(1);
  await s.statusEntries.take({ tenant: 'default', entry: 1, jti: 'jti_1', freeAt: 1 }, 1);
  await s.statusEntries.deleteFree(1);
  await s.revocations.insert(revocation());
  await s.revocations.list('default', page);
  await s.revocations.all(1);
  await s.revocations.deleteExpired(1);
  await s.oidc.upsert(oidcRow());
  await s.oidc.insertIfAbsent(oidcRow(), 1);
  await s.oidc.find('m', 'i', 1);
  await s.oidc.findByUid('m', 'u', 1);
  await s.oidc.findByUserCode('m', 'c', 1);
  await s.oidc.consume('m', 'i', 1);
  await s.oidc.destroy('m', 'i');
  await s.oidc.revokeByGrantId('m', 'g');
  await s.oidc.deleteExpired(1);
  await s.replay.insertIfAbsent({ kind: 'k', key: 'k', expiresAt: 1 }, 1);
  await s.replay.deleteExpired(1);
  await s.credentials.insert(credential());
  await s.credentials.rotate(credential({ version: 2 }));
  await s.credentials.current('default', 'github');
  await s.credentials.list('default', page);
  await s.credentials.allCurrent();
  await s.credentials.rewrap(credential(), 'k');
  await s.credentials.revoke('default', 'github', 1);
  await s.credentials.delete('default', 'github');
  await s.approvals.insertOrGet(approval(), 1);
  await s.approvals.get('default', 'a');
  await s.approvals.findLive({ tenant: 'default', sid: 's', callDigest: 'd' }, 1);
  await s.approvals.list('default', page);
  await s.approvals.list('default', { ...page, status: 'pending' });
  await s.approvals.list('default', { ...page, status: 'pending', user: 'user_1' });
  await s.approvals.decide({ tenant: 'default', id: 'a', status: 'denied', by: 'b', reason: null }, 1);
  await s.approvals.use({ tenant: 'default', id: 'a', callDigest: 'd' }, 1);
  await s.approvals.deleteExpired(1);
  await s.personGrants.get('default', 'g');
  await s.personGrants.byCode('default', 'c');
  await s.personGrants.list('default', page);
  await s.personGrants.list('default', { ...page, userId: 'u', liveAt: 1 });
  await s.personGrants.list('default', { ...page, agentId: 'a' });
  const grant = { tenant: 'default', id: 'g', refreshSerial: 0 };
  const to = { boundTo: null, credential: null, refreshHash: null, expiresAt: 1 };
  await s.personGrants.fetch(grant, to, 1);
  await s.personGrants.rotate(grant, to, 1);
  for (const kind of ['hop', 'session', 'user', 'agent', 'owner'] as const) {
    await s.personGrants.end({ tenant: 'default', kind, value: 'v' }, { by: 'b', reason: null }, 1);
  }
  const credential_ = { tenant: 'default', kind: 'credential', agentId: 'a', value: 'c' } as const;
  await s.personGrants.end(credential_, { by: 'b', reason: null }, 1);
  await s.personGrants.deleteExpired(1);
  await s.deviceRequests.get('default', 'd');
  await s.deviceRequests.byUserCode('default', 'u', 1);
  await s.deviceRequests.decide({ tenant: 'default', codeHash: 'd' }, { status: 'denied', grantId: null }, 1);
  await s.deviceRequests.countSince('default', 'a', 1);
  await s.deviceRequests.deleteExpired(1);
  await s.sinks.insert(sink());
  await s.sinks.get('default', 'sink_1');
  await s.sinks.list('default');
  await s.sinks.setStatus('default', 'sink_1', 'disabled');
  await s.sinks.setSecret('default', 'sink_1', new Uint8Array(1));
  await s.sinks.delete('default', 'sink_1');
  await s.outbox.cursor('n');
  await s.outbox.project('n', [delivery()], 1);
  await s.outbox.due('n', 1, 1);
  await s.outbox.due('n', 1, 1, ['sink']);
  await s.outbox.nextDueAt('n');
  await s.outbox.record('n', delivery());
  await s.outbox.list('n', { limit: 1 });
  await s.outbox.list('n', { limit: 1, status: 'pending' });
  await s.outbox.deleteFinished('n', 1);
  await s.decoys.insert(decoy());
  await s.decoys.list('default');
  await s.decoys.delete('default', 'd');
  await s.baselines.addDestination({ tenant: 'default', agentId: 'a', destination: 'd', at: 1 });
  await s.baselines.destinations('default', 'a');
  await s.risks.put({ tenant: 'default', sid: 's', score: 0, findings: 0, at: 1 });
  await s.risks.since(1, 5);
  await s.risks.deleteOlderThan(1);
  await s.services.put(service());
  await s.services.get('default', 'github');
  await s.services.list('default');
  await s.services.delete('default', 'github');
  const hash = 'h';
  await s.adminTokens.insert({
    tenant: 'default',
    id: 'i',
    name: 'n',
    role: 'admin',
    hash,
    createdAt: 1,
    expiresAt: null,
  });
  await s.adminTokens.byHash(hash);
  await s.adminTokens.list('default');
  await s.adminTokens.delete('default', 'i');
}
