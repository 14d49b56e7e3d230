import type { IncomingMessage } from 'node:http';
import { LIMITS, Refusal } from '../../core/index.ts';
import { ProofFault, parseStrictJsonObject } from '../../proof/index.ts';

const JSON_TYPE = /^application\/json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;

/** Reads a JSON body; undefined when the request has none. Throws Refusal for all that is no plain JSON. */
export async function readBody(request: IncomingMessage): Promise<unknown> {
  const bytes = await collect(request);
  if (bytes.length === 0) return undefined;
  if (request.headers['content-encoding'] !== undefined) {
    throw new Refusal('input_invalid', { detail: 'Send the body without content coding.' });
  }
  if (!JSON_TYPE.test(request.headers['content-type'] ?? '')) {
    throw new Refusal('input_invalid', { detail: 'Send the body as application/json in UTF-8.' });
  }
  try {
    return parseStrictJsonObject(new TextDecoder('utf-8', { fatal: true }).decode(bytes), LIMITS.jsonDepth);
  } catch (cause) {
    if (!(cause instanceof ProofFault || cause instanceof TypeError)) throw cause;
    throw new Refusal('input_invalid', {
      detail: `The body must be one JSON object in UTF-8, with each member once, at most ${LIMITS.jsonDepth} levels deep.`,
      cause,
    });
  }
}

async function collect(request: IncomingMessage): Promise<Uint8Array> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > LIMITS.adminBodyBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  // Without destroyOnReturn a body that is too large would take the connection, and with it the answer, away.
  const arriving: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
  for await (const chunk of arriving) {
    size += chunk.length;
    if (size > LIMITS.adminBodyBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(): Refusal {
  return new Refusal('body_too_large', {
    detail: `The body of an admin request has at most ${LIMITS.adminBodyBytes} bytes.`,
  });
}
