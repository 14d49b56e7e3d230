import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { generateAgentKey } from '../../src/cli/agent-keys.ts';
import { PassportHolder } from '../../src/cli/relay/passport-holder.ts';
import { admin, type ServiceProcess } from './service-process.ts';

/** Everything that the service has acknowledged, and what left through it: none of it may be lost. */
export interface Acknowledged {
  /** Paths that the upstream has seen: each call must stand in the log. */
  readonly seenUpstream: Set<string>;
  readonly credentials: Set<string>;
  readonly revocations: Set<string>;
  readonly agents: Set<string>;
  /** Calls that were refused for a decoy: each has raised an alert, or counts in one. */
  decoyRefusals: number;
  /** Alert ids that the receiver got. */
  readonly delivered: Set<string>;
  calls: number;
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
    seenUpstream: new Set(),
    credentials: new Set(),
    revocations: new Set(),
    agents: new Set(),
    decoyRefusals: 0,
    delivered: new Set(),
    calls: 0,
  };
  const upstream = await listen((path) => acknowledged.seenUpstream.add(path));
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
  const key = await generateAgentKey();
  const made = await must('POST', '/agents', {
    name: 'loader',
    owner: 'team',
    scopes: ['up:read', 'up:write'],
    jwks: [key.publicJwk],
  });
  await must('POST', '/sinks', {
    name: 'siem',
    kind: 'webhook',
    options: { url: receiver.url, allowPrivate: true },
  });
  const decoy = await must('POST', '/decoys', { kind: 'credential', name: 'github-key' });
  const { id } = made.agent as { id: string };
  return {
    acknowledged,
    decoy: String(decoy.value),
    agent: { clientId: id, privateJwk: key.privateJwk },
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
  const until = (work: () => Promise<void>) => repeat(work, signal);
  await Promise.all([
    until(await caller(service, scene, 'a')),
    until(await caller(service, scene, 'b')),
    until(() => changeSomething(service, scene.acknowledged)),
  ]);
}

async function repeat(work: () => Promise<void>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await work();
    } catch {
      // The service died in the middle: what was not acknowledged is nobody's loss.
      return;
    }
  }
}

async function caller(
  service: ServiceProcess,
  scene: CrashScene,
  name: string,
): Promise<() => Promise<void>> {
  const holder = await PassportHolder.open({
    gatewayUrl: service.gatewayUrl,
    issuerUrl: service.controlUrl,
    agent: scene.agent,
  });
  return async () => {
    const touchesDecoy = Math.random() < 0.1;
    const path = `/s/up/${name}/${randomBytes(6).toString('hex')}`;
    const url = `${service.gatewayUrl}${path}`;
    const { authorization, proof } = await holder.credentials({ htm: 'POST', htu: url });
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization, dpop: proof, 'content-type': 'text/plain' },
      body: touchesDecoy ? `take ${scene.decoy}` : 'hello',
    });
    await response.text();
    if (response.status === 200) scene.acknowledged.calls += 1;
    if (touchesDecoy && response.status === 403) scene.acknowledged.decoyRefusals += 1;
  };
}

async function changeSomething(service: ServiceProcess, acknowledged: Acknowledged): Promise<void> {
  const name = `c-${randomBytes(6).toString('hex')}`;
  const put = await admin(service, 'PUT', `/credentials/${name}`, {
    services: ['up'],
    injector: { kind: 'bearer' },
    secret: fakeSecret(),
  });
  if (put.status < 300) acknowledged.credentials.add(name);
  const value = `session_${name}`;
  const revoked = await admin(service, 'POST', '/revocations', { kind: 'session', value, reason: null });
  if (revoked.status < 300) acknowledged.revocations.add(value);
  const { publicJwk } = await generateAgentKey();
  const agent = await admin(service, 'POST', '/agents', {
    name,
    owner: 'team',
    scopes: [],
    jwks: [publicJwk],
  });
  if (agent.status < 300) acknowledged.agents.add(name);
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
