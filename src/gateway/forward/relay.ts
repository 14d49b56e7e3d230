import type { ServerResponse } from 'node:http';
import { type HeaderList, type HttpCall, Refusal, type Subject } from '../../core/index.ts';
import { answerFields, valuesOf } from '../ingress/fields.ts';
import { harmlessTrailers } from '../ingress/request-head.ts';
import type { Line, Story } from '../line.ts';
import { scrubResponse } from '../scrub/index.ts';
import { tellFindings } from '../steps.ts';
import type { UpstreamResponse } from './exchange.ts';
import type { Outbound } from './outbound.ts';
import { plantInAnswer } from './planted-answer.ts';
import { isTextual, ResultText } from './result-text.ts';
import { reverseFields } from './reverse-fields.ts';
import type { Sent } from './send.ts';

export interface RelayResult {
  readonly status: number;
  readonly scrubbed: number;
}

/** Step 9: the answer goes to the agent as it comes, with every form of the injected secret taken out. */
export async function relayAnswer(
  line: Line,
  story: Story,
  o: {
    readonly call: HttpCall;
    readonly outbound: Outbound;
    readonly subject: Subject;
    readonly sent: Sent;
    readonly response: ServerResponse;
  },
): Promise<RelayResult> {
  const { call, outbound, subject, sent, response } = o;
  const upstream = await sent.exchange.response();
  try {
    const scrubbed = await readable(upstream, call, outbound);
    const { status } = upstream;
    const answer = {
      ...scrubbed,
      ...(await plantInAnswer(line, { call, subject, status, answer: scrubbed })),
    };
    const text = new ResultText(answer.headers);
    const tools = isTextual(answer.headers) ? line.detector.toolList(call) : null;
    const take = (chunk: Uint8Array): void => {
      story.responseBytes += chunk.length;
      if (story.responseBytes > line.settings.maxResponseBytes) throw new Refusal('upstream_too_large');
      text.push(chunk);
      tools?.push(chunk);
    };
    const { body } = answer;
    if (body instanceof Uint8Array) {
      // It has a length, and therefore no trailers (RFC 9112 section 7.1.2): head and body leave as one.
      take(body);
      writeHead(response, upstream.status, answer.reason, answer.headers);
      response.end(body);
      // The answers of all calls of this turn leave before the first one is looked at. No turn ends here: what the
      // agent sends next is read behind that look.
      await null;
    } else {
      writeHead(response, upstream.status, answer.reason, answer.headers);
      // Head and first chunk leave together when both are here; event streams get their head at once all the same.
      setImmediate(() => {
        if (!response.destroyed) response.flushHeaders();
      });
      for await (const chunk of body) {
        take(chunk);
        if (!response.write(chunk)) await drained(response);
      }
      const trailers = answer.scrubTrailers(harmlessTrailers(upstream.trailers()));
      if (trailers.length > 0)
        response.addTrailers(answerFields(trailers).map(([name, value]): [string, string] => [name, value]));
      response.end();
    }
    const seen = text.text();
    if (seen !== null) {
      const findings = await line.detector.observe({
        subject,
        phase: 'result',
        callId: call.id,
        tool: call.service.name,
        text: seen,
        now: line.clock.now(),
      });
      await tellFindings(line, story, findings, 'allow');
    }
    return { status: upstream.status, scrubbed: answer.hits() };
  } catch (error) {
    sent.exchange.abort(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
}

interface Readable {
  readonly reason: string;
  readonly headers: HeaderList;
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
  scrubTrailers(trailers: HeaderList): HeaderList;
  hits(): number;
}

async function readable(
  upstream: UpstreamResponse,
  call: HttpCall,
  { needles }: Outbound,
): Promise<Readable> {
  const { status, reason, body } = upstream;
  const own = answerFields(upstream.headers);
  const headers = call.door === 'reverse' ? reverseFields(own, call) : own;
  if (needles === null)
    return { reason, headers, body, scrubTrailers: (trailers) => trailers, hits: () => 0 };
  return scrubResponse(needles, { method: call.method, status, reason, headers, body });
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a reason phrase can't hold.
const NO_REASON = /[\u0000-\u0008\u000a-\u001f\u007f]|[^\u0000-\u00ff]/;

function writeHead(response: ServerResponse, status: number, reason: string, headers: HeaderList): void {
  // The upstream's own Date goes through; Node adds one where there is none.
  response.sendDate = valuesOf(headers, 'date').length === 0;
  const flat: string[] = [];
  for (const [name, value] of headers) {
    // A 204 has no body and no length (RFC 9110 section 8.6).
    if (status === 204 && name === 'content-length') continue;
    flat.push(name, value);
  }
  response.writeHead(status, NO_REASON.test(reason) ? '' : reason, flat);
}

function drained(response: ServerResponse): Promise<void> {
  if (response.destroyed) throw new Refusal('client_gone');
  return new Promise((resolve, reject) => {
    const done = () => {
      response.off('close', closed);
      resolve();
    };
    const closed = () => {
      response.off('drain', done);
      reject(new Refusal('client_gone'));
    };
    response.once('drain', done).once('close', closed);
  });
}
