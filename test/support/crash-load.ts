import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { generateAgentKey } from '../../src/cli/agent-keys.ts';
import { PassportHolder } from '../../src/cli/relay/passport-holder.ts';
import { admin, type ServiceProcess } from './service-process.ts';

/** Everything that the service has acknowledged, and what left through it, each with the round of its doing. */
export interface Acknowledged {
  /** Paths that the upstream has seen: each call must stand in the log. */
  readonly seenUpstream: Map<string, number>;
  readonly credentials: Map<string, number>;
  readonly revokedCredentials: Map<string, number>;
  readonly revocations: Map<string, number>;
  readonly agents: Map<string, number>;
  readonly quarantined: Map<string, number>;
  /** Paths of calls that were refused for a decoy: the refusal must stand in the log. */
  readonly decoyRefusals: Map<string, number>;
  /** Alert ids that the receiver got. */
  readonly delivered: Set<string>;
  calls: number;
  round: number;
}

export interface CrashScene {
  readonly acknowledged: Acknowledged;
  readonly decoy: string;
  readonly agent: {
    readonly clientId: string;
    readonly privateJwk: Awaited<ReturnType<typeof generateAgentKey>>['privateJwk'];
  };
  close(): void;
}

/** Two servers around the service, and what an administrator sets up before the first crash. */
export async function setCrashScene(service: ServiceProcess): Promise<CrashScene> {
  const acknowledged: Acknowledged = {
    seenUpstream: new Map(),
    credentials: new Map(),
    revokedCredentials: new Map(),
    revocations: new Map(),
    agents: new Map(),
    quarantined: new Map(),
    decoyRefusals: new Map(),
    delivered: new Set(),
    calls: 0,
    round: 0,
  };
  const upstream = await listen((path) => acknowledged.seenUpstream.set(path, acknowledged.round));
  const receiver = await listen((_path, headers) =>
    acknowledged.delivered.add(String(headers['webhook-id'])),
  );
  const must = async (method: string, path: string, body: unknown) => {
    const { status, json } = await admin(service, method, path, body);
    if (status >= 300) throw new Error(`${method} ${path} was answered ${status}: ${JSON.stringify(json)}`);
    return json;
  };
  await must('PUT', '/services/up', { origins: [upstream.url], credential: 'up-key', allowPrivate: true });
  await must('PUT', '/credentials/up-key', {
    services: ['up'],
    injector: { kind: 'bearer' },
    secret: fakeSecret(),
  });
  const agent = await registerAgent(service, 'loader');
  await must('POST', '/sinks', {
    name: 'siem',
    kind: 'webhook',
    options: { url: receiver.url, allowPrivate: true },
  });
  const decoy = await must('POST', '/decoys', { kind: 'credential', name: 'github-key' });
  return {
    acknowledged,
    decoy: String(decoy.value),
    agent,
    close() {
      upstream.server.close();
      receiver.server.close();
      upstream.server.closeAllConnections();
      receiver.server.closeAllConnections();
    },
  };
}

/** Calls, changes and alerts at once, until the service is gone or `signal` says stop. */
export async function load(service: ServiceProcess, scene: CrashScene, signal: AbortSignal): Promise<void> {
  const until = (work: () => Promise<unknown>) => repeat(work, signal);
  await Promise.all([
    until(await caller(service, scene)),
    until(await caller(service, scene)),
    until(() => changeSomething(service, scene.acknowledged)),
    until(() => touchDecoy(service, scene)),
  ]);
}

async function repeat(work: () => Promise<unknown>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await work();
    } catch {
      // The service died in the middle: what was not acknowledged is nobody's loss.
      return;
    }
  }
}

/** A relay of the agent: each call gives the status of its answer. */
export async function caller(
  service: ServiceProcess,
  scene: CrashScene,
  o: { readonly agent?: CrashScene['agent']; readonly body?: string } = {},
): Promise<() => Promise<{ readonly status: number; readonly path: string }>> {
  const { acknowledged } = scene;
  const holder = await PassportHolder.open({
    gatewayUrl: service.gatewayUrl,
    issuerUrl: service.controlUrl,
    agent: o.agent ?? scene.agent,
  });
  return async () => {
    const path = `/${randomBytes(8).toString('hex')}`;
    const url = `${service.gatewayUrl}/s/up${path}`;
    const { authorization, proof } = await holder.credentials({ htm: 'POST', htu: url });
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization, dpop: proof, 'content-type': 'text/plain' },
      body: o.body ?? 'hello',
    });
    await response.text();
    if (response.status === 200) acknowledged.calls += 1;
    return { status: response.status, path };
  };
}

/** An agent that is compromised: after its decoy the gate takes no more of its calls, so it is a new one each time. */
export async function touchDecoy(service: ServiceProcess, scene: CrashScene): Promise<number> {
  const agent = await registerAgent(service, `t-${randomBytes(6).toString('hex')}`);
  const call = await caller(service, scene, { agent, body: `take ${scene.decoy}` });
  const { status, path } = await call();
  if (status === 403) scene.acknowledged.decoyRefusals.set(path, scene.acknowledged.round);
  return status;
}

async function registerAgent(service: ServiceProcess, name: string): Promise<CrashScene['agent']> {
  const key = await generateAgentKey();
  const { status, json } = await admin(service, 'POST', '/agents', {
    name,
    owner: 'team',
    scopes: ['up:read', 'up:write'],
    jwks: [key.publicJwk],
  });
  if (status >= 300) throw new Error(`the agent was answered ${status}: ${JSON.stringify(json)}`);
  const { id } = json.agent as { id: string };
  return { clientId: id, privateJwk: key.privateJwk };
}

/** A credential, a revocation and an agent. */
async function changeSomething(service: ServiceProcess, acknowledged: Acknowledged): Promise<void> {
  const name = `c-${randomBytes(6).toString('hex')}`;
  const put = await admin(service, 'PUT', `/credentials/${name}`, {
    services: ['up'],
    injector: { kind: 'bearer' },
    secret: fakeSecret(),
  });
  const { round } = acknowledged;
  if (put.status < 300) acknowledged.credentials.set(name, round);
  const withdrawn = await admin(service, 'POST', `/credentials/${name}/revoke`);
  if (withdrawn.status < 300) acknowledged.revokedCredentials.set(name, round);
  const value = `session_${name}`;
  const revoked = await admin(service, 'POST', '/revocations', { kind: 'session', value, reason: null });
  if (revoked.status < 300) acknowledged.revocations.set(value, round);
  const { publicJwk } = await generateAgentKey();
  const agent = await admin(service, 'POST', '/agents', {
    name,
    owner: 'team',
    scopes: [],
    jwks: [publicJwk],
  });
  if (agent.status < 300) acknowledged.agents.set(name, round);
  const held = await admin(service, 'POST', `/agents/${name}/quarantine`, {});
  if (held.status < 300) acknowledged.quarantined.set(name, round);
}

async function listen(
  onRequest: (path: string, headers: Readonly<Record<string, string | string[] | undefined>>) => void,
): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createServer((request, response) => {
    onRequest(request.url ?? '', request.headers);
    request.resume();
    request.once('end', () => response.end('ok'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function fakeSecret(): string {
  return `fake-${randomBytes(18).toString('base64url')}`;
}
