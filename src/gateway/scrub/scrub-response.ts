import { type HeaderList, type Needles, Refusal } from '../../core/index.ts';
import { contentCodings } from './codings.ts';
import { decodeBody } from './decode.ts';
import { hasDigest, responseHeadersAfterScrub } from './head.ts';
import { scrubHeaders, scrubText } from './scrub-text.ts';
import { StreamScrubber } from './stream-scrubber.ts';

/** A body with a digest in its head is read whole up to here, so that a digest that stays true can stay. */
const DIGEST_BYTES = 1024 * 1024;

interface UpstreamAnswer<B extends Body> {
  /** Method of the request, upper case. */
  readonly method: string;
  readonly status: number;
  readonly reason: string;
  readonly headers: HeaderList;
  /** Bytes: all of it is here. */
  readonly body: B;
}

type Body = Uint8Array | AsyncIterable<Uint8Array>;

interface ScrubbedAnswer<B extends Body> {
  readonly reason: string;
  readonly headers: HeaderList;
  readonly body: B;
  /** For trailers, which come behind the body. */
  scrubTrailers(trailers: HeaderList): HeaderList;
  /** Places masked so far, in head, body and trailers. */
  hits(): number;
}

/**
 * One answer of an upstream, with every form of the secrets taken out: decoded, scrubbed, its head made true
 * for what leaves. Throws `upstream_coding` for a body that can't be read; the body throws what `decodeBody`
 * throws.
 */
export function scrubResponse(
  needles: Needles,
  answer: UpstreamAnswer<AsyncIterable<Uint8Array>>,
): Promise<ScrubbedAnswer<AsyncIterable<Uint8Array>>>;
export function scrubResponse(needles: Needles, answer: UpstreamAnswer<Body>): Promise<ScrubbedAnswer<Body>>;
export async function scrubResponse(
  needles: Needles,
  answer: UpstreamAnswer<Body>,
): Promise<ScrubbedAnswer<Body>> {
  const hasBody = answer.method !== 'HEAD' && ![204, 304].includes(answer.status) && answer.status >= 200;
  const codings = contentCodings(answer.headers);
  if (codings.length > 0 && hasBody && answer.status === 206) {
    throw new Refusal('upstream_coding', {
      detail: 'A part of a coded answer can not be checked for secrets.',
    });
  }
  const head = scrubHeaders(needles, answer.headers);
  const reason = scrubText(needles, answer.reason);
  let hits = head.hits + reason.hits;
  const finish = (headers: HeaderList, body: Body, bodyHits: () => number): ScrubbedAnswer<Body> => ({
    reason: reason.value,
    headers,
    body,
    scrubTrailers: (trailers) => {
      const scrubbed = scrubHeaders(needles, trailers);
      hits += scrubbed.hits;
      return scrubbed.headers;
    },
    hits: () => hits + bodyHits(),
  });
  if (!hasBody) return finish(head.headers, noBody(streamOf(answer.body)), () => 0);
  const decoded = codings.length > 0;
  const scrubber = new StreamScrubber(needles);
  if (!decoded && answer.body instanceof Uint8Array) {
    const body = scrubWhole(answer.body, scrubber);
    const changed = !hasDigest(answer.headers) ? 'unknown' : scrubber.hits > 0 ? 'yes' : 'no';
    const headers = responseHeadersAfterScrub(head.headers, { decoded, changed });
    return finish(headers, body, () => scrubber.hits);
  }
  const plain = decoded ? decodeBody(streamOf(answer.body), codings) : streamOf(answer.body);
  if (!decoded && hasDigest(answer.headers)) {
    const peeked = await peek(plain, scrubber);
    const changed = !peeked.whole ? 'unknown' : scrubber.hits > 0 ? 'yes' : 'no';
    const headers = responseHeadersAfterScrub(head.headers, { decoded, changed });
    return finish(headers, peeked.body, () => scrubber.hits);
  }
  const headers = responseHeadersAfterScrub(head.headers, { decoded, changed: 'unknown' });
  return finish(headers, scrubBody(plain, scrubber), () => scrubber.hits);
}

/** RFC 9110 section 6.4.1 gives this answer no content: bytes that come all the same have no meaning. */
async function* noBody(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    if (chunk.length > 0) throw new Refusal('upstream_malformed', { internal: 'content where none can be' });
    yield chunk;
  }
}

async function* streamOf(body: Body): AsyncGenerator<Uint8Array> {
  if (body instanceof Uint8Array) yield body;
  else yield* body;
}

/** A body that is here already: what is clean stays the bytes that came. */
function scrubWhole(body: Uint8Array, scrubber: StreamScrubber): Uint8Array {
  const first = scrubber.push(body);
  const rest = scrubber.end();
  return rest.length === 0 ? first : Buffer.concat([first, rest]);
}

/** A body through a scrubber, chunk by chunk. */
async function* scrubBody(
  body: AsyncIterable<Uint8Array>,
  scrubber: StreamScrubber,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    const output = scrubber.push(chunk);
    if (output.length > 0) yield output;
  }
  const rest = scrubber.end();
  if (rest.length > 0) yield rest;
}

/** Reads a short body whole; of a longer one, what was read and the rest as it comes. */
async function peek(
  body: AsyncIterable<Uint8Array>,
  scrubber: StreamScrubber,
): Promise<{ readonly whole: boolean; readonly body: AsyncIterable<Uint8Array> }> {
  const scrubbed = scrubBody(body, scrubber);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  while (bytes <= DIGEST_BYTES) {
    const next = await scrubbed.next();
    if (next.done === true) return { whole: true, body: replay(chunks, null) };
    chunks.push(next.value);
    bytes += next.value.length;
  }
  return { whole: false, body: replay(chunks, scrubbed) };
}

async function* replay(
  chunks: readonly Uint8Array[],
  rest: AsyncIterable<Uint8Array> | null,
): AsyncGenerator<Uint8Array> {
  yield* chunks;
  if (rest !== null) yield* rest;
}
