import { type IncomingMessage, request as openRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { makeProof, type TestAgent } from '../unit/passport/support.ts';
import { drained } from './echo-upstream.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  /** The members of a JSON answer. */
  readonly json: Record<string, unknown>;
}

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | AsyncIterable<Uint8Array>;
}

/** An agent with a passport that speaks to a gate as real clients do. */
export class GateClient {
  readonly #agent: TestAgent;
  readonly #port: number;
  readonly passport: string;

  static async of(agent: TestAgent, port: number): Promise<GateClient> {
    return new GateClient(agent, port, await agent.passport());
  }

  /** With a passport that was got before. */
  static with(agent: TestAgent, port: number, passport: string): GateClient {
    return new GateClient(agent, port, passport);
  }

  private constructor(agent: TestAgent, port: number, passport: string) {
    this.#agent = agent;
    this.#port = port;
    this.passport = passport;
  }

  proof(htm: string, htu: string): Promise<string> {
    return makeProof(this.#agent.dpop, { htm, htu, accessToken: this.passport });
  }

  /** Reverse mode, and the gate's own endpoints. */
  async ask(path: string, asked: Asked = {}): Promise<Answer> {
    return read(await this.open(path, asked));
  }

  async open(path: string, asked: Asked = {}): Promise<IncomingMessage> {
    const { method = 'GET' } = asked;
    const htu = `http://127.0.0.1:${this.#port}${path.split('?')[0]}`;
    return send(this.#port, path, asked, {
      authorization: `DPoP ${this.passport}`,
      dpop: await this.proof(method, htu),
    });
  }

  /** Forward mode: an absolute http URL at the proxy. */
  async forward(url: string, asked: Asked = {}): Promise<Answer> {
    const { method = 'GET' } = asked;
    const answer = await send(this.#port, url, asked, {
      host: new URL(url).host,
      'proxy-authorization': `DPoP ${this.passport}`,
      'sallyport-dpop': await this.proof(method, url.split('?')[0] ?? ''),
    });
    return read(answer);
  }

  /** CONNECT; gives the answer's head and the socket behind it. */
  async connect(authority: string): Promise<{ readonly head: string; readonly socket: Socket }> {
    const socket = connect(this.#port, '127.0.0.1');
    socket.on('error', () => undefined);
    const proof = await this.proof('CONNECT', authority);
    socket.write(
      `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\nProxy-Authorization: DPoP ${this.passport}\r\nSallyport-DPoP: ${proof}\r\n\r\n`,
    );
    const head = await new Promise<string>((resolve) => {
      socket.once('data', (bytes: Buffer) => resolve(bytes.toString('latin1')));
    });
    return { head, socket };
  }

  /** TLS inside a tunnel, trusting `ca` alone. Rejects when the handshake fails. */
  static startTls(socket: Socket, servername: string, ca: string): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const inside = connectTls({ socket, servername, ca, ALPNProtocols: ['http/1.1'] });
      inside.once('secureConnect', () => resolve(inside)).once('error', reject);
      socket.once('close', () => reject(new Error('the tunnel was closed')));
    });
  }

  static askInside(socket: Socket, path: string, host: string, asked: Asked = {}): Promise<Answer> {
    return send(0, path, asked, { host }, socket).then(read);
  }
}

function send(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body }: Asked,
  more: Record<string, string>,
  socket?: Socket,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = openRequest({
      host: '127.0.0.1',
      port,
      path,
      method,
      headers: { ...headers, ...more },
      ...(socket === undefined ? { agent: false } : { createConnection: () => socket }),
    });
    outgoing.once('response', resolve).once('error', reject);
    if (body === undefined || typeof body === 'string') outgoing.end(body);
    else void pump(body, outgoing).catch(() => undefined);
  });
}

async function pump(
  body: AsyncIterable<Uint8Array>,
  outgoing: ReturnType<typeof openRequest>,
): Promise<void> {
  for await (const chunk of body) {
    if (outgoing.destroyed) return;
    if (!outgoing.write(chunk)) await drained(outgoing);
  }
  outgoing.end();
}

export async function read(answer: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('latin1');
  let json: Record<string, unknown> = {};
  if (/json/.test(answer.headers['content-type'] ?? '')) json = JSON.parse(text);
  return { status: answer.statusCode ?? 0, headers: answer.headers, text, json };
}
