import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { openRelay } from '../../src/cli/relay/index.ts';
import { childInput, tellReady } from '../lib/child.ts';
import type { AgentSpec } from '../load/requests.ts';

/** The relay of `sallyport run`, in a process of its own as there. */
const { agent, gatewayUrl } = childInput<{ agent: AgentSpec; gatewayUrl: string }>();
const jwk = createPrivateKey(agent.privateKeyPem).export({ format: 'jwk' });
const relay = await openRelay({
  gatewayUrl,
  issuerUrl: agent.issuer,
  agent: { clientId: agent.clientId, privateJwk: { ...jwk, kid: agent.kid, alg: 'ES256' } },
});
process.on('SIGTERM', () => {
  relay.close().finally(() => process.exit(0));
});
tellReady({
  port: relay.port,
  password: decodeURIComponent(new URL(relay.proxyUrl).password),
  username: decodeURIComponent(new URL(relay.proxyUrl).username),
  hookSocket: relay.environment.SALLYPORT_HOOK_SOCKET,
  ca: readFileSync(relay.environment.NODE_EXTRA_CA_CERTS ?? '', 'utf8'),
});
