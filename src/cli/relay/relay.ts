import http from 'node:http';
import type { AddressInfo, Server, Socket } from 'node:net';
import { LIMITS } from '../../core/index.ts';
import { INSTRUCT_SCOPE } from '../../passport/index.ts';
import { AuthorityKeeper } from './authority-keeper.ts';
import { relayEnvironment } from './child-environment.ts';
import { forwardRequest } from './forward-request.ts';
import { HookJudge } from './hook-judge.ts';
import { openHookSocket } from './hook-socket.ts';
import type { AgentIdentity, RelayOptions } from './options.ts';
import { PassportHolder } from './passport-holder.ts';
import { ProxyPassword } from './proxy-password.ts';
import { serveTunnel } from './serve-tunnel.ts';
import { TrustFolder } from './trust-folder.ts';

const HEAD_TIMEOUT_MS = 15_000;
/** Hosts let a call pass when its hook takes longer than some ten seconds. */
const HOOK_DEADLINE_MS = 5_000;

export interface Relay {
  readonly port: number;
  /** Address for clients, with the password of this run in it: hand it to the one program that may use it. */
  readonly proxyUrl: string;
  /** Hosts that the gate's certificate authority covers now. */
  readonly hosts: readonly string[];
  /** Variables that make a program use the relay. */
  readonly environment: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/**
 * A proxy on loopback that speaks to the gateway as an agent: it holds the passport and its key, renews them,
 * and shows a proof for each tunnel and request (rule 1 of docs/guarantees.md). Throws RelayFault when issuer or
 * gateway don't give what it needs to begin.
 */
export async function openRelay(
  options: RelayOptions & {
    /** Files with certificates that the user trusts beside the system's. */
    readonly extraTrustFiles?: readonly string[];
    /** The user's side, which states what the user asked for; default: nobody does. */
    readonly desk?: AgentIdentity;
    /** Port on 127.0.0.1; default: a free one. */
    readonly port?: number;
  },
): Promise<Relay> {
  const holder = await PassportHolder.open(options);
  const desk = options.desk === undefined ? null : await openDesk(options, options.desk);
  const onNotice = options.onNotice ?? (() => {});
  const trust = await TrustFolder.create(options.extraTrustFiles ?? []);
  const password = new ProxyPassword();
  const sockets = new Set<Socket>();
  let authority: AuthorityKeeper | null = null;
  let server: http.Server;
  let hooks: Server;
  try {
    authority = await AuthorityKeeper.open({ holder, trust, onNotice });
    server = makeServer({ holder, password, authority }, sockets);
    await listen(server, options.port ?? 0);
    const judge = new HookJudge({ agent: holder, desk });
    hooks = await openHookSocket({
      path: trust.hookSocket,
      judge: (message) => judge.judge(message),
      deadlineMs: HOOK_DEADLINE_MS,
    });
  } catch (cause) {
    authority?.stop();
    await trust.remove();
    throw cause;
  }
  const { port } = server.address() as AddressInfo;
  const proxyUrl = password.proxyUrl(port);
  return {
    port,
    proxyUrl,
    get hosts() {
      return authority.hosts;
    },
    environment: relayEnvironment({ proxyUrl, ...trust }),
    async close() {
      authority.stop();
      server.close();
      hooks.close();
      for (const socket of sockets) socket.destroy();
      await trust.remove();
    },
  };
}

/** The user's side may do nothing but that. */
function openDesk(options: RelayOptions, agent: AgentIdentity): Promise<PassportHolder> {
  return PassportHolder.open({ ...options, agent, scope: INSTRUCT_SCOPE });
}

function makeServer(
  relay: {
    readonly holder: PassportHolder;
    readonly password: ProxyPassword;
    readonly authority: AuthorityKeeper;
  },
  sockets: Set<Socket>,
): http.Server {
  const server = http.createServer({ maxHeaderSize: LIMITS.headBytes, headersTimeout: HEAD_TIMEOUT_MS });
  // An upload may take as long as it takes; the gateway has its own limits.
  server.requestTimeout = 0;
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('connect', (request, socket, head) => {
    serveTunnel(relay, request, socket, head).catch(() => socket.destroy());
  });
  server.on('request', (request, response) => {
    forwardRequest(relay, request, response).catch(() => response.destroy());
  });
  server.on('clientError', (_, socket) => socket.destroy());
  return server;
}

/** On loopback alone: nobody but this machine may even try the password. */
function listen(server: http.Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}
