import http from 'node:http';
import type { Duplex } from 'node:stream';
import { RelayFault } from './fault.ts';
import { pairs } from './fields.ts';
import { connectToGateway } from './gateway-socket.ts';
import { type PassportHolder, sentenceOf } from './passport-holder.ts';

const ANSWER_TIMEOUT_MS = 30_000;
/** Refusals are small. */
const REFUSAL_BYTES = 256 * 1024;
const REFUSAL_TIMEOUT_MS = 5_000;

/** The gateway's answer to CONNECT: a tunnel, or its refusal as it came. */
export type TunnelAnswer =
  | { readonly open: true; readonly socket: Duplex; readonly head: Buffer }
  | {
      readonly open: false;
      readonly status: number;
      readonly statusText: string;
      readonly rawHeaders: readonly string[];
      readonly body: Buffer;
    };

/** A tunnel through the gateway to `host:port`, as the agent: one proof a tunnel (rule 1 of docs/guarantees.md). */
export async function openTunnel(holder: PassportHolder, authority: string): Promise<TunnelAnswer> {
  const first = await connect(holder, authority);
  // The gateway may want its nonce in the proof; it says so once (RFC 9449 section 9).
  if (first.open || !learnNonce(holder, first.rawHeaders)) return first;
  return connect(holder, authority);
}

async function connect(holder: PassportHolder, authority: string): Promise<TunnelAnswer> {
  const { authorization, proof } = await holder.credentials({ htm: 'CONNECT', htu: authority });
  return new Promise((resolve, reject) => {
    const request = http.request({
      method: 'CONNECT',
      path: authority,
      headers: {
        host: authority,
        'proxy-authorization': authorization,
        'sallyport-dpop': proof,
        // The child trusts the authority of this session alone; a gate that was started since is told.
        'sallyport-authority': 'session',
      },
      createConnection: () => connectToGateway(holder),
    });
    request.setTimeout(ANSWER_TIMEOUT_MS, () => request.destroy(new Error('the gateway does not answer')));
    request.once('error', (cause) => reject(unreachable(holder, cause)));
    // Without a listener for it, Node would take an answer that is no CONNECT answer for the end of the request.
    request.once('response', (response) => {
      response.destroy();
      reject(unreachable(holder, new Error('it answered CONNECT with an ordinary response')));
    });
    request.once('connect', ({ statusCode: status = 0, statusMessage = '', rawHeaders }, socket, head) => {
      socket.setTimeout(0);
      if (status === 200) return resolve({ open: true, socket, head });
      const refusal = { open: false, status, statusText: statusMessage, rawHeaders } as const;
      readRefusal(socket, head, rawHeaders).then((body) => resolve({ ...refusal, body }));
    });
    request.end();
  });
}

/**
 * Node hands over what follows a refused CONNECT unread. It is as long as its length says, or reaches to the
 * end of the connection; a gateway that says neither does not hold us up for long.
 */
async function readRefusal(socket: Duplex, head: Buffer, rawHeaders: readonly string[]): Promise<Buffer> {
  const length = Number(fieldOf(rawHeaders, 'content-length') ?? REFUSAL_BYTES);
  const wanted = Math.min(length, REFUSAL_BYTES);
  const timer = setTimeout(() => socket.destroy(), REFUSAL_TIMEOUT_MS);
  const chunks = [head];
  let bytes = head.length;
  try {
    if (bytes < wanted) {
      for await (const chunk of socket) {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes >= wanted) break;
      }
    }
  } catch {
    // What came before the connection broke is what there is to show.
  }
  clearTimeout(timer);
  socket.destroy();
  return Buffer.concat(chunks).subarray(0, wanted);
}

function learnNonce(holder: PassportHolder, rawHeaders: readonly string[]): boolean {
  return holder.learnNonce(fieldOf(rawHeaders, 'dpop-nonce'));
}

function fieldOf(rawHeaders: readonly string[], name: string): string | null {
  return pairs(rawHeaders).find(([field]) => field.toLowerCase() === name)?.[1] ?? null;
}

export function unreachable(holder: PassportHolder, cause: unknown): RelayFault {
  return new RelayFault(
    'gateway_unreachable',
    `the gateway at ${holder.gateway.origin} can not be reached (${sentenceOf(cause)}); is it running?`,
    { cause },
  );
}
