import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AnswerReader, type ReadAnswer } from './answer-reader.ts';
import type { AgentSpec } from './requests.ts';

/** How a client reaches the thing that is measured. */
export interface Route {
  readonly port: number;
  /** Fields of a CONNECT before anything else; null: none is made. */
  readonly tunnel: {
    readonly authority: string;
    readonly fields: string;
    /** Shows a passport of this agent that is bound to no key. */
    readonly bearer?: AgentSpec;
  } | null;
  /** TLS to whoever answers behind that; null: plain. */
  readonly tls: { readonly servername: string; readonly ca: string } | null;
}

/** One keep-alive connection that sends prepared bytes and waits for whole answers. */
export class LoadConnection {
  readonly #socket: Socket;
  readonly #reader = new AnswerReader();
  #waiting: { resolve: (answer: ReadAnswer) => void; reject: (fault: Error) => void } | null = null;

  static async open(route: Route): Promise<LoadConnection> {
    const raw = connect({ port: route.port, host: '127.0.0.1', noDelay: true });
    await once(raw, 'connect');
    if (route.tunnel !== null) await openTunnel(raw, route.tunnel);
    if (route.tls === null) return new LoadConnection(raw);
    const { servername, ca } = route.tls;
    const secure = connectTls({ socket: raw, servername, ca, ALPNProtocols: ['http/1.1'] });
    await once(secure, 'secureConnect');
    return new LoadConnection(secure);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    socket.on('error', (fault) => this.#fail(fault));
    socket.on('close', () => this.#fail(new Error('the connection was closed')));
  }

  ask(request: Buffer | string): Promise<ReadAnswer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(request, 'latin1');
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(bytes: Buffer): void {
    const waiting = this.#waiting;
    try {
      const answer = this.#reader.push(bytes);
      if (answer === null || waiting === null) return;
      this.#waiting = null;
      waiting.resolve(answer);
    } catch (fault) {
      this.#fail(fault as Error);
    }
  }

  #fail(fault: Error): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.reject(fault);
  }
}

async function openTunnel(
  socket: Socket,
  { authority, fields }: NonNullable<Route['tunnel']>,
): Promise<void> {
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n${fields}\r\n`, 'latin1');
  let head = '';
  while (!head.includes('\r\n\r\n')) {
    const [bytes]: Buffer[] = await once(socket, 'data');
    head += bytes?.toString('latin1') ?? '';
  }
  if (!/^HTTP\/1\.[01] 200/.test(head)) throw new Error(`CONNECT was answered ${head.slice(0, 400)}`);
}
