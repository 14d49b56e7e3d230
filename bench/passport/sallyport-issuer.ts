import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadOrCreateCheckpointKey, openAuditLog } from '../../src/audit/index.ts';
import { systemClock } from '../../src/core/index.ts';
import { openBench, TestAgent } from '../../test/unit/passport/support.ts';
import { answerMessages, childInput, tellReady } from '../lib/child.ts';
import { SigningKey } from '../load/agent.ts';
import type { AgentSpec } from '../load/requests.ts';
import type { IssuerReady, TokenWanted } from './operations.ts';

/** The issuer with database and log on disk as the service has them; without its limit on requests a second. */
const { resource, durability } = childInput<{ resource: string; durability: 'power' | 'process' }>();
const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-issuer-'));
process.on('SIGTERM', () => process.exit(0));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const log = await openAuditLog({
  directory: join(folder, 'audit'),
  durability,
  node: 'bench',
  clock: systemClock,
  checkpointKey: await loadOrCreateCheckpointKey(join(folder, 'keys')),
});
const limit = { perSecond: 1e9, burst: 1e9 };
const bench = await openBench({
  audience: resource,
  audit: (event) => log.append(event),
  limits: { client: limit, address: limit },
  database: { kind: 'sqlite', file: join(folder, 'gate.db'), durability },
});
const scopes = ['api:read'];
const agent = await TestAgent.register(bench, { scopes });
const [planner, worker] = [
  await TestAgent.register(bench, { scopes }),
  await TestAgent.register(bench, { scopes }),
];
const bySecret = await bench.room.agents.register(
  { name: 'secret', owner: 'bench', scopes, withSecret: true },
  'bench',
);
answerMessages((wanted: TokenWanted) => {
  switch (wanted) {
    case 'subject':
      return planner.passport({ may_act: worker.id });
    case 'own':
      return agent.passport();
  }
});
const ready: IssuerReady = {
  agent: await specOf(agent),
  secretAgent: { ...(await specOf(agent)), clientId: bySecret.agent.id },
  secret: bySecret.secret?.use((bytes) => Buffer.from(bytes).toString('utf8')) ?? '',
  worker: await specOf(worker),
};
tellReady({ ...ready });

async function specOf({ id, key }: TestAgent): Promise<AgentSpec> {
  return {
    issuer: bench.issuer,
    tokenEndpoint: `${bench.issuer}/token`,
    clientId: id,
    kid: key.thumbprint,
    privateKeyPem: SigningKey.fromJwk(await crypto.subtle.exportKey('jwk', key.privateKey)).pem,
    resource,
    scope: 'api:read',
  };
}
