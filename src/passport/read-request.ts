import { IncomingMessage } from 'node:http';
import { OAuthFault } from './oauth-fault.ts';

/** Reads a body whole. Throws OAuthFault('invalid_request') with 413 beyond `mostBytes`, and for one cut short. */
export async function readBody(req: IncomingMessage, mostBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    // The socket stays open, so that the refusal reaches who sent too much.
    for await (const chunk of req.iterator({ destroyOnReturn: false })) {
      const bytes = Buffer.from(chunk);
      length += bytes.length;
      if (length > mostBytes)
        throw new OAuthFault('invalid_request', 'the body is too large', { status: 413 });
      chunks.push(bytes);
    }
  } catch (cause) {
    if (cause instanceof OAuthFault) throw cause;
    throw new OAuthFault('invalid_request', 'the body did not arrive whole', { cause });
  }
  return Buffer.concat(chunks);
}

/** The same request with its body still to be read: the OAuth library wants to read it itself. */
export function withBody(req: IncomingMessage, body: Buffer): IncomingMessage {
  const again = new IncomingMessage(req.socket);
  const { method, url, headers, rawHeaders, httpVersion, httpVersionMajor, httpVersionMinor } = req;
  Object.assign(again, { method, url, headers, rawHeaders, httpVersion, httpVersionMajor, httpVersionMinor });
  // It read the connection to its end already; asking the socket again would take the next request's bytes.
  again._read = () => {};
  again.push(body);
  again.push(null);
  again.complete = true;
  return again;
}
