import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Origin, Service } from '../../src/core/index.ts';
import { classifyAddress } from '../../src/gateway/egress/addresses.ts';
import { parseUrl } from '../../src/gateway/egress/url.ts';
import { makeService, openFakeGate, sendRaw } from '../support/gate-fakes.ts';
import type { VectorResult } from './main.ts';

interface Case {
  readonly id: string;
  readonly kind: 'url' | 'address' | 'authority';
  readonly input: string;
  readonly expected: 'refuse' | 'allow' | 'same-host' | 'pinned' | 'no-follow';
  readonly host?: string;
  readonly dns?: Readonly<Record<string, readonly (readonly string[])[]>>;
  readonly mustNotConnectTo?: readonly string[];
  readonly redirects?: readonly { readonly status: number; readonly location: string }[];
}

const PATIENCE_MS = 3_000;
const WORKERS = 8;
/** What a name resolves to where the verdict must not come from a name that fails to resolve. */
const PUBLIC = '93.184.216.34';

/**
 * Every URL as the absolute-form target of a real request, every authority as a real CONNECT, to a gate for
 * which *every* host is a registered service with a credential: names, look-ups and addresses are all that
 * stands between the request and the connection. What the gate dials is recorded, and led to an upstream of
 * ours.
 */
export async function run(path: string): Promise<VectorResult> {
  const { cases } = JSON.parse(readFileSync(path, 'utf8')) as { cases: readonly Case[] };
  const failures: { id: string; why: string }[] = [];
  const queue = [...cases];
  const work = async () => {
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
      const why = one.kind === 'address' ? faultOfAddress(one) : await faultOfRequest(one);
      if (why !== null) failures.push({ id: one.id, why });
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  return { passed: cases.length - failures.length, total: cases.length, failures };
}

function faultOfAddress({ input, expected }: Case): string | null {
  const kind = classifyAddress(input);
  return (kind === 'public') === (expected === 'allow') ? null : `is ${kind}`;
}

interface Seen {
  readonly status: number | null;
  /** Addresses that were dialled. */
  readonly dialled: readonly string[];
  /** Names that were looked up. */
  readonly asked: readonly string[];
  /** Credentials that were opened. */
  readonly opened: number;
  readonly requests: readonly string[];
}

async function faultOfRequest(one: Case): Promise<string | null> {
  const seen = await observe(one);
  const { dialled, asked, opened, status } = seen;
  switch (one.expected) {
    case 'refuse':
      if (dialled.length > 0) return `dialled ${dialled.join()}`;
      if (opened > 0) return 'a credential was opened';
      if (status === null || status < 400) return `answered ${status}`;
      return null;
    case 'allow':
      if (status !== 200) return `answered ${status}`;
      if (one.kind === 'authority') return null;
      if (dialled.length !== 1 || !expectedAddresses(one).includes(dialled[0] ?? ''))
        return `dialled ${dialled.join()}`;
      return null;
    case 'same-host': {
      const host = one.host ?? '';
      if (asked.some((name) => name !== host)) return `asked for ${asked.join()}`;
      if (dialled.some((address) => !expectedAddresses(one).includes(address)))
        return `dialled ${dialled.join()}`;
      const head = seen.requests[0];
      return head === undefined || head.toLowerCase().includes(`host: ${host}\r\n`) ? null : `sent ${head}`;
    }
    case 'pinned':
      if (dialled.some((address) => one.mustNotConnectTo?.includes(address) === true))
        return `dialled ${dialled.join()}`;
      return asked.length <= 1 ? null : `asked ${asked.length} times`;
    case 'no-follow':
      if (dialled.length !== 1) return `dialled ${dialled.join()}`;
      if (status !== one.redirects?.[0]?.status) return `answered ${status}`;
      return seen.requests.length === 1 ? null : `sent ${seen.requests.length} requests`;
  }
}

/** Addresses that the names of a case resolve to at first, or the address that its host is. */
function expectedAddresses(one: Case): readonly string[] {
  const first = Object.values(one.dns ?? {}).flatMap((answers) => answers[0] ?? []);
  const host = one.host ?? parseUrl(one.input)?.hostname.replace(/^\[|\]$/g, '') ?? '';
  return [...first, host];
}

async function observe(one: Case): Promise<Seen> {
  const upstream = await openUpstream(one.redirects?.[0]);
  const dialled: string[] = [];
  const asked: string[] = [];
  const gate = await openFakeGate({
    services: [everywhere()],
    secrets: { everywhere: 'fake-secret-of-the-vectors' },
    resolve: async (host) => {
      const answers = one.dns?.[host];
      const times = asked.filter((name) => name === host).length;
      asked.push(host);
      if (answers !== undefined) return answers[Math.min(times, answers.length - 1)] ?? [];
      // An empty list of names says that the verdict must not depend on them: then all resolve.
      return one.dns !== undefined && Object.keys(one.dns).length === 0 ? [PUBLIC] : [];
    },
    dial: ({ host }) => {
      dialled.push(host);
      return connect(upstream.port, '127.0.0.1');
    },
    options: { services: new Everywhere() as never },
  });
  try {
    const target = Buffer.from(one.input, 'utf8').toString('latin1');
    // Plain connections: what is under test is where they go.
    const plain = target.replace(/^https:/i, 'http:');
    const head =
      one.kind === 'authority'
        ? `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`
        : `GET ${plain} HTTP/1.1\r\nHost: ${hostField(plain)}\r\n\r\n`;
    const answers = [
      await sendRaw(gate.gateway.port, [Buffer.from(head, 'latin1')], { quietMs: PATIENCE_MS, head: true }),
    ];
    if (one.expected === 'pinned') {
      answers.push(
        await sendRaw(gate.gateway.port, [Buffer.from(head, 'latin1')], { quietMs: PATIENCE_MS, head: true }),
      );
    }
    return {
      status: answers[0]?.status ?? null,
      dialled,
      asked,
      opened: gate.opened(),
      requests: upstream.requests,
    };
  } finally {
    await gate.close();
    upstream.close();
  }
}

/** What a client would put there: the authority without userinfo. */
function hostField(url: string): string {
  const authority = /^[a-z]+:\/\/([^/?#]*)/i.exec(url)?.[1] ?? '';
  return authority.slice(authority.lastIndexOf('@') + 1).replace(/:$/, '');
}

function everywhere(): Service {
  return makeService({ name: 'everywhere', credential: 'everywhere', allowPrivate: false, origins: [] });
}

/** A directory in which every origin is a service. */
class Everywhere {
  readonly generation = 1;
  byName(): null {
    return null;
  }
  byOrigin(_tenant: string, origin: Origin): Service {
    return { ...everywhere(), origins: [origin] };
  }
  all(): readonly Service[] {
    return [everywhere()];
  }
  onChanged(): () => void {
    return () => undefined;
  }
}

async function openUpstream(redirect: { readonly status: number; readonly location: string } | undefined) {
  const requests: string[] = [];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      requests.push(bytes.toString('latin1'));
      const head =
        redirect === undefined
          ? 'HTTP/1.1 200 OK'
          : `HTTP/1.1 ${redirect.status} Moved\r\nlocation: ${redirect.location}`;
      socket.write(`${head}\r\ncontent-length: 0\r\n\r\n`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
