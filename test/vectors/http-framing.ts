import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type FakeGate, makeService, openFakeGate, readRaw, statusOf } from '../support/gate-fakes.ts';
import type { VectorResult } from './main.ts';

interface Case {
  readonly id: string;
  readonly side: 'request' | 'response';
  readonly endOfInput: boolean;
  readonly bytes: string;
  readonly expected: 'accept' | 'reject';
  readonly mayReject?: boolean;
  readonly messages?: number;
  readonly body?: string;
}

const REJECTED: ReadonlySet<number> = new Set([400, 413, 414, 417, 421, 431, 501, 505]);
const QUIET_MS = 60;
const PATIENCE_MS = 3_000;
const WORKERS = 8;

/**
 * Every case as raw bytes on a socket: requests go to the gateway's real servers (through a tunnel for
 * origin-form targets, at the port itself for absolute targets and CONNECT) with an upstream behind them that
 * would answer; responses come from a raw upstream. The rooms around the gateway allow everything, so that
 * nothing but parser and gateway can be the reason of a refusal.
 */
export async function run(path: string): Promise<VectorResult> {
  const { cases } = JSON.parse(readFileSync(path, 'utf8')) as { cases: readonly Case[] };
  const failures: { id: string; why: string }[] = [];
  const queue = [...cases];
  const work = async () => {
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
      const why = await (one.side === 'request' ? faultOfRequest(one) : faultOfResponse(one));
      if (why !== null) failures.push({ id: one.id, why });
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  return { passed: cases.length - failures.length, total: cases.length, failures };
}

async function faultOfRequest(one: Case): Promise<string | null> {
  const upstream = await recordingUpstream();
  const gate = await openGate(upstream.port);
  try {
    const bytes = Buffer.from(one.bytes, 'base64');
    const text = bytes.toString('latin1');
    const socket = await openDoor(gate, text);
    socket.write(bytes);
    if (one.endOfInput) socket.end();
    return one.expected === 'reject'
      ? await faultOfRejection(one, socket, upstream)
      : await faultOfAcceptance(one, socket, upstream, text.startsWith('CONNECT'));
  } finally {
    await gate.close();
    upstream.close();
  }
}

/** Absolute targets and CONNECT at the port itself; everything else where a proxy's client would send it. */
async function openDoor(gate: FakeGate, text: string): Promise<Socket> {
  const socket = connect(gate.gateway.port, '127.0.0.1');
  socket.on('error', () => undefined);
  if (/^(?:CONNECT |[A-Z]+ https?:)/.test(text)) return socket;
  const host = text.includes('[2606:4700:4700::1111]') ? '[2606:4700:4700::1111]:80' : 'api.example:80';
  socket.write(`CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  const answer = await new Promise<string>((resolve) => {
    socket.once('data', (chunk: Buffer) => resolve(chunk.toString('latin1')));
  });
  if (statusOf(answer) !== 200) throw new Error(`no tunnel: ${answer}`);
  return socket;
}

async function faultOfRejection(one: Case, socket: Socket, upstream: Recorder): Promise<string | null> {
  let answer = await readRaw(socket, QUIET_MS, (text) => text.includes('\r\n\r\n'), false);
  // Some of llhttp's cases stop inside the head. The fault has to show at the latest when the head ends.
  if (answer.status === null && !answer.closed && !one.endOfInput) {
    socket.write('\r\n\r\n');
    answer = await readRaw(socket, PATIENCE_MS, (text) => text.includes('\r\n\r\n'), false);
  } else if (answer.status === null && !answer.closed) {
    answer = await readRaw(socket, PATIENCE_MS, (text) => text.includes('\r\n\r\n'), false);
  }
  const closes = answer.closed || (await readRaw(socket, PATIENCE_MS)).closed;
  if (answer.status !== null && !REJECTED.has(answer.status)) return `answered ${answer.status}`;
  if (answer.status === null && !answer.closed) return 'neither answered nor closed';
  if (!closes) return 'the connection stayed open';
  if (upstream.received.length > 0) return `${upstream.received.length} messages reached the upstream`;
  return null;
}

async function faultOfAcceptance(
  one: Case,
  socket: Socket,
  upstream: Recorder,
  isConnect: boolean,
): Promise<string | null> {
  const wanted = one.messages ?? 0;
  const patience = one.mayReject === false ? PATIENCE_MS : 250;
  const answered = (text: string) =>
    text.split('HTTP/1.1 ').length - 1 - text.split(' 100 Continue').length + 1 >= Math.max(1, wanted);
  const answer = await readRaw(socket, patience, answered);
  const final = answer.text.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '');
  const status = statusOf(final);
  if (one.mayReject !== false && (status === null || status >= 400)) return null;
  if (status !== 200) return `answered ${status ?? 'nothing'}: ${answer.text.slice(0, 120)}`;
  if (isConnect || wanted === 0) return null;
  if (upstream.received.length !== wanted) return `${upstream.received.length} messages reached the upstream`;
  const body = one.body === undefined ? null : Buffer.from(one.body, 'base64').toString('latin1');
  if (body !== null && upstream.received[0] !== body)
    return `the body became ${JSON.stringify(upstream.received[0])}`;
  return null;
}

async function faultOfResponse(one: Case): Promise<string | null> {
  const bytes = Buffer.from(one.bytes, 'base64');
  const upstream = await rawUpstream(bytes, one.endOfInput);
  const gate = await openGate(upstream.port);
  try {
    const socket = await openDoor(gate, '');
    socket.write('GET /a HTTP/1.1\r\nHost: api.example\r\n\r\n');
    const answer = await readRaw(socket, patienceFor(one), (text) => /\r\n\r\n/.test(text), false);
    const status = statusOf(answer.text);
    if (one.expected === 'reject') {
      if (status === 502) return null;
      // Bytes behind a whole message: that message is the answer, and the rest must reach nobody.
      const whole = firstMessageEnd(bytes);
      if (whole === null) {
        if (!one.endOfInput) return `answered ${status ?? 'nothing'}`;
        // On a slow machine the head is out before the fault shows: then the answer has to break off.
        const rest = await readRaw(socket, PATIENCE_MS);
        return rest.closed && !isWhole(answer.text + rest.text) ? null : `answered ${status ?? 'nothing'}`;
      }
      const again = await openDoor(gate, '');
      again.write('GET /b HTTP/1.1\r\nHost: api.example\r\n\r\n');
      const second = await readRaw(again, PATIENCE_MS, (text) => /\r\n\r\n/.test(text));
      if (upstream.connections() < 2) return 'the connection was used again';
      const passedOn = `${answer.text}${second.text}`.includes('queued');
      return passedOn ? 'what nobody asked for was passed on' : null;
    }
    if (status === null) {
      if (one.mayReject !== false) return null;
      return 'answered nothing';
    }
    if (one.mayReject !== false && status >= 400) return null;
    const wanted = lastStatus(bytes.toString('latin1'));
    if (status !== wanted) return `answered ${status}, not ${wanted}`;
    if (one.body === undefined || one.body === '') return null;
    const body = Buffer.from(one.body, 'base64').toString('latin1');
    return answer.text.includes(body) ? null : `the body ${JSON.stringify(body)} is not in the answer`;
  } finally {
    await gate.close();
    upstream.close();
  }
}

/** Some of llhttp's cases are no whole answer: then nothing comes, and nothing has to. */
function patienceFor({ expected, mayReject }: Case): number {
  return expected === 'reject' || mayReject === false ? PATIENCE_MS : QUIET_MS * 4;
}

/** Whether an answer with a length has a body of that length. */
function isWhole(text: string): boolean {
  const length = /\ncontent-length: (\d+)/i.exec(text)?.[1];
  return length === undefined || text.length - text.indexOf('\r\n\r\n') - 4 >= Number(length);
}

/** Where the first message of an answer ends when its head alone says so (no body); null: the head does not. */
function firstMessageEnd(bytes: Buffer): number | null {
  const text = bytes.toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  if (end < 0 || end + 4 === text.length) return null;
  const head = text.slice(0, end);
  return /^HTTP\/1\.1 204/.test(head) || /content-length: 0/i.test(head) ? end + 4 : null;
}

function lastStatus(text: string): number {
  const statuses = [...text.matchAll(/^HTTP\/1\.[01] (\d{3})/gm)].map((match) => Number(match[1]));
  return statuses.find((status) => status >= 200) ?? 0;
}

function openGate(upstreamPort: number): Promise<FakeGate> {
  return openFakeGate({
    services: [
      makeService({
        origins: [
          { scheme: 'http', host: 'api.example', port: 80 },
          { scheme: 'https', host: 'api.example', port: 443 },
          { scheme: 'http', host: '2606:4700:4700::1111', port: 80 },
        ],
      }),
    ],
    resolve: async () => ['127.0.0.1'],
    dial: () => connect(upstreamPort, '127.0.0.1'),
  });
}

interface Recorder {
  readonly port: number;
  /** Bodies of the messages that arrived whole. */
  readonly received: string[];
  close(): void;
}

async function recordingUpstream(): Promise<Recorder> {
  const received: string[] = [];
  const server = createHttpServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => undefined);
    request.on('end', () => {
      received.push(Buffer.concat(chunks).toString('latin1'));
      response.end('ok');
    });
  });
  const port = await listen(server);
  return {
    port,
    received,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function rawUpstream(
  bytes: Buffer,
  end: boolean,
): Promise<{ readonly port: number; connections(): number; close(): void }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', () => {
      if (end) socket.end(bytes);
      else socket.write(bytes);
    });
  });
  const port = await listen(server);
  return {
    port,
    connections: () => sockets.length,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
