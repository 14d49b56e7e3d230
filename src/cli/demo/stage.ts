import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningService, startService } from '../../compose/index.ts';
import { type Config, loadConfig } from '../../config/index.ts';
import { readKeyFile } from '../../files/index.ts';
import { INSTRUCT_SCOPE } from '../../passport/index.ts';
import { generateAgentKey } from '../agent-keys.ts';
import { AdminClient } from '../client/admin-client.ts';
import { rowOf, textOf } from '../output.ts';
import { type EchoUpstream, startReceiver, startUpstream, type WebhookReceiver } from './built-in.ts';

interface Registered {
  readonly clientId: string;
  readonly privateJwk: Awaited<ReturnType<typeof generateAgentKey>>['privateJwk'];
}

/** Everything that the demo plays with: throwaway state, a real service, and two servers around it. */
export interface Stage {
  readonly config: Config;
  readonly service: RunningService;
  readonly admin: AdminClient;
  readonly upstream: EchoUpstream;
  readonly receiver: WebhookReceiver;
  /** The key that the upstream expects; made for this run, and known to the vault and the upstream alone. */
  readonly upstreamKey: string;
  readonly agent: Registered;
  /** Another agent: what becomes of the first one's session is not its own. */
  readonly second: Registered;
  /** The user's side: may state what the user asked for, and nothing else. */
  readonly desk: Registered;
  readonly webhookSecret: string;
  readonly decoy: { readonly name: string; readonly value: string };
  /** Stops the service, so that its log can be looked at from outside. */
  stopService(): Promise<void>;
  close(): Promise<void>;
}

export async function setStage(programRoot: string, signal: AbortSignal): Promise<Stage> {
  const stack = new AsyncDisposableStack();
  try {
    const home = mkdtempSync(join(tmpdir(), 'sallyport-demo-'));
    stack.defer(() => rmSync(home, { recursive: true, force: true }));
    const config = loadConfig({
      environment: { SALLYPORT_HOME: home, SALLYPORT_CONTROL_PORT: '0', SALLYPORT_GATEWAY_PORT: '0' },
      defaultHome: programRoot,
    });
    const faults: unknown[] = [];
    const service = await startService({ config, isTerminal: false, onFault: (fault) => faults.push(fault) });
    let stopped = false;
    const stop = async (): Promise<void> => {
      if (stopped) return;
      stopped = true;
      await service.stop('the demo ended');
    };
    stack.defer(stop);
    const upstream = await startUpstream();
    stack.defer(() => upstream.close());
    const receiver = await startReceiver();
    stack.defer(() => receiver.close());
    const token = String(await readKeyFile(join(config.paths.keys, 'admin-token'))).trim();
    const admin = new AdminClient({ url: service.controlUrl, token: () => token, signal });
    const upstreamKey = `demo-key-${randomBytes(18).toString('base64url')}`;
    return {
      config,
      service,
      stopService: stop,
      admin,
      upstream,
      receiver,
      upstreamKey,
      ...(await furnish(admin, upstream, receiver, upstreamKey)),
      close: () => stack.disposeAsync(),
    };
  } catch (fault) {
    await stack.disposeAsync();
    throw fault;
  }
}

/** What an administrator would type, through the same API as the command line. */
async function furnish(
  admin: AdminClient,
  upstream: EchoUpstream,
  receiver: WebhookReceiver,
  upstreamKey: string,
): Promise<Pick<Stage, 'agent' | 'second' | 'desk' | 'webhookSecret' | 'decoy'>> {
  await admin.put('/services/tickets', {
    origins: [upstream.url],
    credential: 'tickets-key',
    allowPrivate: true,
  });
  await admin.put('/credentials/tickets-key', {
    services: ['tickets'],
    injector: { kind: 'bearer' },
    secret: upstreamKey,
  });
  // A host that is known, with a scope that no policy makes anything of.
  await admin.put('/services/payroll', { origins: ['https://payroll.example'] });
  const sink = await admin.post('/sinks', {
    name: 'demo-siem',
    kind: 'webhook',
    options: { url: `${receiver.url}/alerts`, allowPrivate: true },
  });
  const decoy = await admin.post('/decoys', { kind: 'credential', name: 'github-admin' });
  return {
    agent: await register(admin, 'demo-agent', ['tickets:read', 'tickets:write', 'payroll:ask']),
    second: await register(admin, 'demo-second', ['tickets:read', 'tickets:write']),
    desk: await register(admin, 'demo-desk', [INSTRUCT_SCOPE]),
    webhookSecret: textOf(sink.secret),
    decoy: { name: textOf(decoy.name), value: textOf(decoy.value) },
  };
}

async function register(admin: AdminClient, name: string, scopes: readonly string[]): Promise<Registered> {
  const { publicJwk, privateJwk } = await generateAgentKey();
  const { agent } = await admin.post('/agents', { name, owner: 'demo-team', scopes, jwks: [publicJwk] });
  return { clientId: textOf(rowOf(agent).id), privateJwk };
}
