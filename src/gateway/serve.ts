import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { endOfTurn, newId, Refusal } from '../core/index.ts';
import { answerAndClose, answerAndDiscard, closeSoon } from './answer-and-discard.ts';
import { closeIfStuck } from './close-if-stuck.ts';
import type { Doors } from './doors.ts';
import { openTunnel, type TunnelTools } from './ingress/connect.ts';
import { parserRefusal } from './ingress/parser-refusal.ts';
import { parseRequestHead } from './ingress/request-head.ts';
import { retireBeforeExpiry } from './ingress/retire-tunnel.ts';
import type { Tunnel } from './ingress/tunnel.ts';
import type { Line, Story } from './line.ts';
import { type ListenerTls, makeServer } from './listener.ts';
import { type Problem, problemOf, rawProblem } from './problem.ts';
import { recordRefusal, refusalOf } from './refused.ts';
import { beginStory } from './summaries.ts';
import { Turns } from './turns.ts';

export interface ServeOptions {
  readonly line: Line;
  readonly doors: Doors;
  readonly tunnels: TunnelTools;
  /** Null: the listener speaks plain HTTP. */
  readonly tls: ListenerTls | null;
  readonly requestTimeoutMs: number;
  /** True once the gate is to take no more calls. */
  readonly isClosing: () => boolean;
}

/** The servers of the data plane: one that listens, one for what comes through tunnels. Same parser, same rules. */
export class GatewayServers {
  readonly outer: Server | TlsServer;
  readonly inner: Server;
  readonly #options: ServeOptions;
  readonly #tunnels = new WeakMap<Socket, Tunnel>();
  /** Connections on which something was not well-formed: what follows is no new message. */
  readonly #spoiled = new WeakSet<Socket>();
  readonly #turns = new Turns();
  /** The responses that each connection works on, in the order of their requests (clients may pipeline them). */
  readonly #responses = new WeakMap<Socket, Set<ServerResponse>>();
  /** Connections to the listener whose TLS handshake is done. */
  readonly #secured = new WeakSet<Socket>();

  constructor(options: ServeOptions) {
    this.#options = options;
    this.outer = this.#make(options.tls);
    this.inner = this.#make(null);
    // Node checks the time that a head may take from this event on, and this server never listens by itself.
    this.inner.emit('listening');
    this.outer.on('connect', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      this.#connect(request, socket, head).catch(() => socket.destroy());
    });
    this.inner.on('connect', (_request, socket: Socket) => {
      socket.destroy();
    });
  }

  #make(tls: ListenerTls | null): Server | TlsServer {
    const server = makeServer({
      tls,
      requestTimeoutMs: this.#options.requestTimeoutMs,
      onSecured: (socket) => this.#secured.add(socket),
    });
    // Node would drop the fields beyond its own count in silence: a field that is dropped can't be checked.
    server.maxHeadersCount = 0;
    const handle = (request: IncomingMessage, response: ServerResponse) => {
      // What even the catch could not answer closes its own connection and no other.
      this.#request(request, response).catch(() => request.socket.destroy());
    };
    server.on('request', handle).on('checkContinue', handle).on('checkExpectation', handle);
    server.on('clientError', (error: Error, socket) => {
      this.#clientError(error, socket as Socket).catch(() => socket.destroy());
    });
    return server;
  }

  /** Hands a tunnel's bytes to the same kind of server that listens. */
  #enter(socket: Socket, tunnel: Tunnel): void {
    this.#tunnels.set(socket, tunnel);
    retireBeforeExpiry({
      socket,
      expiresAt: tunnel.passport.expiresAt,
      now: this.#options.line.clock.now(),
      responding: () => this.#lastOn(socket),
    });
    this.inner.emit('connection', socket);
    // It was paused while its first byte was looked at.
    socket.resume();
  }

  async #request(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    const earlier = this.#turns.take(socket, response);
    if (earlier !== null) await earlier;
    if (this.#spoiled.has(socket) || socket.destroyed) {
      socket.destroy();
      return;
    }
    const onSocket = this.#responses.get(socket) ?? new Set();
    this.#responses.set(socket, onSocket.add(response));
    const story = this.#begin(request);
    response.on('error', ignore);
    try {
      if (this.#options.isClosing()) throw new Refusal('shutting_down', { retryAfterMs: 1000 });
      const head = parseRequestHead(request);
      await endOfTurn();
      await this.#options.doors.enter({
        request,
        response,
        head,
        story,
        tunnel: this.#tunnels.get(socket) ?? null,
      });
    } catch (error) {
      await this.#refuse(refusalOf(error), story, request, response);
    } finally {
      onSocket.delete(response);
      closeIfStuck(response, this.#options.requestTimeoutMs);
    }
  }

  #lastOn(socket: Socket): ServerResponse | null {
    return [...(this.#responses.get(socket) ?? [])].at(-1) ?? null;
  }

  /** The one catch: recorded, then answered. */
  async #refuse(
    refusal: Refusal,
    story: Story,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { line } = this.#options;
    await recordRefusal(line, story, refusal);
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    const problem = this.#problem(refusal, story, isProxyRequest(request));
    const closes = problem.closes || !request.complete;
    if (closes) this.#spoiled.add(request.socket);
    if (!request.complete && response.socket !== null && request.method !== 'HEAD') {
      answerAndDiscard(request, rawProblem(problem));
      return;
    }
    const headers = { ...problem.headers, ...(closes ? { connection: 'close' } : {}) };
    response.writeHead(problem.status, { ...headers, 'content-length': Buffer.byteLength(problem.body) });
    response.end(request.method === 'HEAD' ? undefined : problem.body);
  }

  async #connect(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    socket.on('error', ignore);
    const story = this.#begin(request);
    const { line, tunnels } = this.#options;
    try {
      if (this.#options.isClosing()) throw new Refusal('shutting_down', { retryAfterMs: 1000 });
      await openTunnel(
        { line, tools: tunnels, story, head: parseRequestHead(request), socket, first: head },
        (inside, tunnel) => this.#enter(inside, tunnel),
      );
    } catch (error) {
      const refusal = refusalOf(error);
      await recordRefusal(line, story, refusal);
      if (!socket.destroyed) answerAndClose(socket, rawProblem(this.#problem(refusal, story, true)));
    }
  }

  /** Faults that the parser itself finds: there is no request, or the body of one is broken. */
  async #clientError(error: Error, socket: Socket): Promise<void> {
    const noHandshake =
      socket instanceof TLSSocket && !this.#secured.has(socket) && !this.#tunnels.has(socket);
    // Without a handshake there is nobody to tell, and nothing to record: a port scan must not fill the log.
    if (socket.destroyed || noHandshake || this.#spoiled.has(socket)) {
      socket.destroy();
      return;
    }
    this.#spoiled.add(socket);
    const response = this.#lastOn(socket);
    // The fault is in what follows a request that came whole: that one still gets its answer, and nothing else does.
    const follows = response?.req.complete === true;
    // Behind the beginning of an answer, of this request or of one before it, other bytes would pass for its rest.
    if (!follows && [...(this.#responses.get(socket) ?? [])].some(({ headersSent }) => headersSent)) {
      socket.destroy(error);
      return;
    }
    const story = beginStory({
      callId: newId('call'),
      startedAt: this.#options.line.clock.now(),
      remote: socket.remoteAddress ?? null,
    });
    const refusal = parserRefusal(error);
    // A call that was under way is recorded by its own line, when its body ends in this fault.
    if (response === null || follows) await recordRefusal(this.#options.line, story, refusal);
    if (follows && !response.closed) {
      response.shouldKeepAlive = false;
      response.once('close', () => closeSoon(socket));
      return;
    }
    if (!socket.destroyed && socket.writable) {
      socket.end(rawProblem(this.#problem(refusal, story, false)), () => socket.destroy());
    } else socket.destroy();
  }

  #begin(request: IncomingMessage): Story {
    const startedAt = this.#options.line.clock.now();
    return beginStory({
      callId: newId('call', startedAt),
      startedAt,
      remote: this.#remoteOf(request.socket),
    });
  }

  #remoteOf(socket: Socket): string | null {
    return socket.remoteAddress ?? null;
  }

  #problem(refusal: Refusal, story: Story, proxy: boolean): Problem {
    const { publicUrl } = this.#options.line.settings;
    return problemOf(refusal, {
      callId: story.callId,
      resourceMetadata: `${publicUrl}/.well-known/oauth-protected-resource`,
      proxy,
    });
  }
}

function isProxyRequest(request: IncomingMessage): boolean {
  return request.url?.startsWith('/') === false;
}

function ignore(): void {
  // A client that is gone is no fault of ours; the line notices by itself.
}
