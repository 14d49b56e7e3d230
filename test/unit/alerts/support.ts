import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Sealer, Send, SinkRecord } from '../../../src/alerts/index.ts';
import { type AuditLog, openAuditLog } from '../../../src/audit/index.ts';
import { type ActorSummary, type CallSummary, type Finding, SecretBytes } from '../../../src/core/index.ts';

export const { privateKey: checkpointKey, publicKey } = generateKeyPairSync('ed25519');

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-alerts-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function openLog(directory: string): Promise<AuditLog> {
  const log = await openAuditLog({
    directory,
    durability: 'process',
    node: 'node-1',
    clock: { now: () => Date.now() },
    checkpointKey,
  });
  onTestFinished(() => log.close().catch(() => {}));
  return log;
}

export const call: CallSummary = {
  id: 'call_1',
  door: 'reverse',
  action: 'http.call',
  resource: 'github',
  target: 'GET https://api.github.example/user',
  bodyInspected: false,
  bodyDigest: null,
};

export const actor: ActorSummary = {
  agentId: 'agent_1',
  owner: 'team',
  user: null,
  sid: 'sid_1',
  jti: 'jti_1',
  chain: ['hop_1'],
};

export function finding(o: Partial<Finding> = {}): Finding {
  return {
    check: 'decoy.used',
    title: 'A decoy was used',
    severity: 'critical',
    score: 1,
    evidence: 'decoy_1 in the query',
    references: ['OWASP-ASI:ASI03'],
    ...o,
  };
}

/** Stands in for the vault's keyring: binds the context, and hides the bytes from a reader of the store. */
export const sealer: Sealer = {
  seal: (context, bytes) =>
    Buffer.concat([Buffer.from(`${context}\0`), Buffer.from(bytes).map((byte) => byte ^ 0x5a)]),
  open: (context, sealed) => {
    const prefix = Buffer.from(`${context}\0`);
    if (!Buffer.from(sealed.subarray(0, prefix.length)).equals(prefix))
      throw new Error('sealed for something else');
    return new SecretBytes(Uint8Array.from(sealed.subarray(prefix.length), (byte) => byte ^ 0x5a));
  },
};

/** Egress without its rules: these tests send to this machine. */
export const send: Send = async ({ url, headers, body, timeoutMs }) => {
  const signal = AbortSignal.timeout(timeoutMs);
  const answer = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
  await answer.body?.cancel();
  const retryAfter = answer.headers.get('retry-after');
  return { status: answer.status, retryAfterMs: retryAfter === null ? null : Number(retryAfter) * 1000 };
};

export interface Received {
  readonly headers: Record<string, string>;
  readonly body: string;
}

export interface Receiver {
  readonly url: string;
  readonly received: Received[];
  /** What it answers to the request with that number, 0 first. */
  answer: (number: number) => { readonly status: number; readonly retryAfter?: number } | 'hang';
}

/** A real HTTP server on this machine that keeps what it gets. */
export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const receiver: Receiver = { url: '', received, answer: () => ({ status: 204 }) };
  const server = createServer(async (request, response) => {
    const number = received.push({ headers: headersOf(request), body: await textOf(request) }) - 1;
    const answer = receiver.answer(number);
    if (answer === 'hang') return;
    response.statusCode = answer.status;
    if (answer.retryAfter !== undefined) response.setHeader('retry-after', String(answer.retryAfter));
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return Object.assign(receiver, { url: `http://127.0.0.1:${port}/alerts` });
}

function headersOf(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return text;
}

export function sinkRecord(o: Partial<SinkRecord> = {}): SinkRecord {
  return {
    tenant: 'default',
    id: 'sink_1',
    name: 'soc',
    kind: 'file',
    options: { file: 'alerts.jsonl' },
    sealedSecret: null,
    minSeverity: 'low',
    status: 'active',
    createdAt: 1,
    ...o,
  };
}
