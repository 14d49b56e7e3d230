import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadOrCreateCheckpointKey, openAuditLog } from '../../src/audit/index.ts';
import { systemClock } from '../../src/core/index.ts';
import { openBench, TestAgent } from '../../test/unit/passport/support.ts';
import { childInput, tellReady } from '../lib/child.ts';
import { SigningKey } from '../load/agent.ts';

/** The issuer with database and log on disk as the service has them; without its limit on requests a second. */
const { resource, durability } = childInput<{ resource: string; durability: 'power' | 'process' }>();
const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-issuer-'));
process.on('SIGTERM', () => process.exit(0));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const log = await openAuditLog({
  directory: join(folder, 'audit'),
  durability: 'process',
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
const agent = await TestAgent.register(bench, { scopes: ['api:read'] });
const key = SigningKey.fromJwk(await crypto.subtle.exportKey('jwk', agent.key.privateKey));
const metadata = await fetch(`${bench.issuer}/.well-known/oauth-authorization-server`);
const { token_endpoint: tokenEndpoint } = (await metadata.json()) as { token_endpoint: string };
tellReady({
  agent: {
    issuer: bench.issuer,
    tokenEndpoint,
    clientId: agent.id,
    kid: agent.key.thumbprint,
    privateKeyPem: key.pem,
    resource,
    scope: 'api:read',
  },
});
