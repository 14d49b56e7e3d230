import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type Client, requestToken, SigningKey } from '../load/agent.ts';
import type { AgentSpec } from '../load/requests.ts';
import type { BenchService } from '../sallyport/service.ts';

const KINDS = ['plain', 'plain', 'plain', 'large', 'gzip', 'events', 'error', 'upload'] as const;
/** A pause between the calls of one caller: a soak is long, not fast. */
const PAUSE_MS = 25;
const RENEW_MS = 60_000;

export interface SoakCounts {
  calls: number;
  refused: number;
  changes: number;
  /** What nobody expected, told at the end. */
  readonly faults: string[];
}

/** Calls of every shape, refusals, token requests and administration, until `signal` says stop. */
export async function soakLoad(
  service: BenchService,
  agents: readonly AgentSpec[],
  signal: AbortSignal,
  counts: SoakCounts,
): Promise<void> {
  await Promise.all([
    ...agents.map((agent) => calls(service, agent, signal, counts)),
    refusals(service, signal, counts),
    administration(service, signal, counts),
  ]);
}

async function calls(
  service: BenchService,
  agent: AgentSpec,
  signal: AbortSignal,
  counts: SoakCounts,
): Promise<void> {
  const client: Client = {
    ...agent,
    key: SigningKey.fromPem(agent.privateKeyPem),
    proofKey: new SigningKey(),
  };
  let token = '';
  let renewAt = 0;
  for (let at = 0; !signal.aborted; at++) {
    const kind = KINDS[at % KINDS.length] ?? 'plain';
    try {
      if (Date.now() >= renewAt) {
        token = await requestToken(client);
        renewAt = Date.now() + RENEW_MS;
      }
      const url = `${service.gatewayUrl}/s/up/${kind}/${randomUUID()}`;
      const htm = kind === 'upload' ? 'POST' : 'GET';
      const response = await fetch(url, {
        method: htm,
        headers: { authorization: `DPoP ${token}`, dpop: client.proofKey.prove({ htm, htu: url, token }) },
        ...(htm === 'POST' ? { body: randomBytes(64 * 1024) } : {}),
      });
      await response.arrayBuffer();
      const wanted = kind === 'error' ? 500 : 200;
      if (response.status === wanted) counts.calls += 1;
      else counts.faults.push(`a ${kind} call was answered ${response.status} ${refusalOf(response)}`);
    } catch (fault) {
      counts.faults.push(`a ${kind} call failed: ${fault instanceof Error ? fault.message : String(fault)}`);
    }
    await pause(PAUSE_MS);
  }
}

/** No passport, a made-up one, an unknown service. */
async function refusals(service: BenchService, signal: AbortSignal, counts: SoakCounts): Promise<void> {
  while (!signal.aborted) {
    for (const headers of [{}, { authorization: `DPoP ${randomBytes(48).toString('base64url')}` }]) {
      const response = await fetch(`${service.gatewayUrl}/s/up/plain/refused`, { headers });
      await response.arrayBuffer();
      if (response.status === 401) counts.refused += 1;
      else counts.faults.push(`a call without a passport was answered ${response.status}`);
    }
    await pause(PAUSE_MS * 8);
  }
}

/** A secret that is rotated under the calls: connections are given up, and calls in flight may be cut. */
async function administration(service: BenchService, signal: AbortSignal, counts: SoakCounts): Promise<void> {
  while (!signal.aborted) {
    await service.admin('PUT', '/credentials/aside', {
      services: ['aside'],
      injector: { kind: 'bearer' },
      secret: `fake-${randomBytes(18).toString('base64url')}`,
    });
    await service.admin('GET', '/agents');
    counts.changes += 1;
    await pause(1_000);
  }
}

/** Whose answer it was: the code of the gate's refusal, or the upstream's. */
function refusalOf(response: Response): string {
  return response.headers.get('sallyport-refusal') ?? 'by the upstream';
}
