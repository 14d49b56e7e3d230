import { compileNeedles, type Needles, scrubHeaders, scrubResponse } from '../../src/gateway/scrub/index.ts';
import type { Echo } from './leak-cases.ts';

type Fields = readonly (readonly [name: string, value: string])[];

/** What arrived at the agent. */
export interface Arrival {
  readonly reason: string;
  readonly headers: Fields;
  readonly interim: Fields;
  readonly trailers: Fields;
  readonly body: Buffer;
}

/** Carries one answer of an upstream through the product to the agent. */
export type LeakTransport = (echo: Echo) => Promise<Arrival>;

/** The gateway keeps the needles of a credential version, too. */
const compiled = new Map<string, Needles>();

function needlesOf(secrets: readonly string[]): Needles {
  const key = secrets.join('\n');
  const known = compiled.get(key) ?? compileNeedles(secrets.map((secret) => Buffer.from(secret, 'utf8')));
  compiled.set(key, known);
  return known;
}

/** What came in one piece is handed over as the gateway does with short answers. */
function bodyOf(chunks: readonly Uint8Array[]): Uint8Array | AsyncIterable<Uint8Array> {
  const [only] = chunks;
  if (chunks.length === 1 && only !== undefined) return only;
  return (async function* () {
    yield* chunks;
  })();
}

/** Straight through the scrubber, as the gateway calls it. */
export const scrubberTransport: LeakTransport = async (echo) => {
  const needles = needlesOf(echo.injected);
  const length = echo.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const answer = await scrubResponse(needles, {
    method: 'GET',
    status: echo.status,
    reason: echo.reason,
    headers: [...echo.headers, ['content-length', String(length)]],
    body: bodyOf(echo.chunks),
  });
  const chunks: Uint8Array[] = [];
  if (answer.body instanceof Uint8Array) chunks.push(answer.body);
  else for await (const chunk of answer.body) chunks.push(chunk);
  return {
    reason: answer.reason,
    headers: answer.headers,
    interim: scrubHeaders(needles, echo.interim ?? []).headers,
    trailers: answer.scrubTrailers(echo.trailers),
    body: Buffer.concat(chunks),
  };
};
