import type { HeaderList, HttpCall, Subject } from '../../core/index.ts';
import type { Line } from '../line.ts';
import { isTextual } from './result-text.ts';

/** Longer answers stay as they are: a decoy is laid out in a page, not in a download. */
const MAX_BYTES = 64 * 1024;
/** What would not be true of the changed body: its length, and digests of it. */
const ABOUT_BODY: ReadonlySet<string> = new Set([
  'content-length',
  'content-md5',
  'digest',
  'repr-digest',
  'content-digest',
  'etag',
  'last-modified',
  'accept-ranges',
]);

export interface Answer {
  readonly headers: HeaderList;
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
}

/**
 * The answer with a decoy in it, where an administrator has said so for this service; where nothing fits, the answer
 * is passed on as it was. Length and digests are made anew or left out, so that no client reads too little.
 */
export async function plantInAnswer(
  line: Line,
  o: {
    readonly call: HttpCall;
    readonly subject: Subject;
    readonly status: number;
    readonly answer: Answer;
  },
): Promise<Answer> {
  const { call, subject, status, answer } = o;
  if (!line.detector.bait.wants(call.service.name) || !isWhole(call, status, answer.headers)) return answer;
  const { bytes, rest } = await firstBytes(answer.body);
  if (rest !== null) return { headers: answer.headers, body: followedBy(bytes, rest) };
  const text = decoded(bytes);
  const planted =
    text === null
      ? null
      : await line.detector.plantInResult({
          subject,
          callId: call.id,
          tool: call.service.name,
          text,
          missing: status === 404,
          now: line.clock.now(),
        });
  if (planted === null) return { headers: answer.headers, body: bytes };
  const body = Buffer.from(planted, 'utf8');
  const headers = answer.headers.filter(([name]) => !ABOUT_BODY.has(name.toLowerCase()));
  return { headers: [...headers, ['content-length', String(body.length)]], body };
}

/** A whole text, uncoded, that the agent has asked for. */
function isWhole({ method }: HttpCall, status: number, headers: HeaderList): boolean {
  return method !== 'HEAD' && (status === 200 || status === 404) && isTextual(headers);
}

/** At most a page of the body; `rest` is null when that was all of it. */
async function firstBytes(
  body: Answer['body'],
): Promise<{ readonly bytes: Uint8Array; readonly rest: AsyncIterator<Uint8Array> | null }> {
  if (body instanceof Uint8Array) return { bytes: body, rest: null };
  const chunks: Uint8Array[] = [];
  let length = 0;
  const rest = body[Symbol.asyncIterator]();
  for (;;) {
    const { value, done } = await rest.next();
    if (done === true) return { bytes: Buffer.concat(chunks), rest: null };
    chunks.push(value);
    length += value.length;
    if (length > MAX_BYTES) return { bytes: Buffer.concat(chunks), rest };
  }
}

async function* followedBy(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield first;
    for (;;) {
      const { value, done } = await rest.next();
      if (done === true) return;
      yield value;
    }
  } finally {
    await rest.return?.();
  }
}

function decoded(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // Not UTF-8: whatever it is, it stays as it is.
    return null;
  }
}
