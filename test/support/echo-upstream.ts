import {
  createServer as createHttp,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Writable } from 'node:stream';

/** An upstream that tells what it saw, and echoes it back: the careless kind that leaks keys. */
export interface EchoUpstream {
  readonly port: number;
  readonly seen: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[];
  /** Requests whose body never came to its end. */
  readonly broken: { bytes: number }[];
  close(): void;
}

export async function openEchoUpstream(tls?: {
  readonly cert: string;
  readonly key: string;
}): Promise<EchoUpstream> {
  const seen: EchoUpstream['seen'] = [];
  const broken: EchoUpstream['broken'] = [];
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= 1024 * 1024) chunks.push(chunk);
    });
    request.on('error', () => undefined);
    request.on('close', () => {
      if (!request.complete) broken.push({ bytes });
    });
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const body = Buffer.concat(chunks).toString('latin1');
      seen.push({ method, url, headers, body });
      answer(url, headers, body, bytes, response);
    });
  };
  const server: Server = tls === undefined ? createHttp(handle) : createHttps(tls, handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    broken,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function answer(
  url: string,
  headers: IncomingMessage['headers'],
  body: string,
  bytes: number,
  response: ServerResponse,
): void {
  if (url.startsWith('/redirect')) {
    response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data/' }).end();
    return;
  }
  if (url.startsWith('/stream')) {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const timer = setInterval(() => response.write('data: tick\n\n'), 20);
    response.once('close', () => clearInterval(timer));
    return;
  }
  if (url.startsWith('/large/')) {
    void writeLarge(Number(url.slice('/large/'.length)), response);
    return;
  }
  const text = JSON.stringify({ authorization: headers.authorization ?? null, body, bytes });
  response.writeHead(200, { 'content-type': 'application/json', 'x-echo': headers.authorization ?? 'none' });
  response.end(text);
}

async function writeLarge(bytes: number, response: ServerResponse): Promise<void> {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes });
  for (let left = bytes; left > 0 && !response.destroyed; left -= chunk.length) {
    if (!response.write(chunk.subarray(0, Math.min(left, chunk.length)))) {
      await drained(response);
    }
  }
  response.end();
}

/** Resolves when the stream takes more, or never will. */
export function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done).off('close', done);
      resolve();
    };
    stream.once('drain', done).once('close', done);
  });
}
