import { createHash, type Hash } from 'node:crypto';
import { type CallBody, type HeaderList, type HttpCall, Refusal, type Subject } from '../../core/index.ts';
import type { OutboundScanner } from '../../detector/index.ts';
import { defaultPort, formatAuthority } from '../ingress/authority.ts';
import type { Line, Story } from '../line.ts';
import { tellFindings } from '../steps.ts';
import type { Cut } from './cut.ts';
import { type DecodedScan, scanDecoded } from './decoded-scan.ts';
import { Exchange } from './exchange.ts';
import type { Outbound } from './outbound.ts';

/** A request under way. */
export interface Sent {
  readonly exchange: Exchange;
  /** base64url SHA-256 of the body as far as it was sent; null: there was none. */
  requestDigest(): string | null;
}

/** Step 8: the request leaves, its body looked through on its way. */
export function sendUpstream(
  line: Line,
  story: Story,
  o: { readonly call: HttpCall; readonly outbound: Outbound; readonly subject: Subject; readonly cut: Cut },
): Sent {
  const { call, outbound, cut } = o;
  const { destination, upstreamCa, credential } = outbound;
  const agent = line.pools.of(
    { tenant: call.tenant, service: call.service.name, destination, credential, upstreamCa },
    line.epoch(),
  );
  const hash = call.body.kind === 'stream' ? createHash('sha256') : null;
  const exchange = Exchange.start(agent, {
    method: call.method,
    target: outbound.query === '' ? outbound.path : `${outbound.path}?${outbound.query}`,
    headers: outbound.headers,
    body: bodyOf(line, story, { body: call.body, headers: call.headers, subject: o.subject, hash }),
    contentLength: lengthOf(call),
    authority: authorityOf(call),
    timeoutMs: line.settings.upstreamTimeoutMs,
  });
  cut.watch(exchange);
  return {
    exchange,
    requestDigest: () => {
      if (call.body.kind === 'buffered') return call.body.digest;
      return hash?.digest('base64url') ?? null;
    },
  };
}

function authorityOf({ origin }: HttpCall): string {
  const { scheme, host, port } = origin;
  if (port !== defaultPort(scheme)) return formatAuthority(host, port);
  return host.includes(':') ? `[${host}]` : host;
}

/** We say how long the body is; what the agent's framing said was checked and is gone. */
function lengthOf({ body, method }: HttpCall): number | null {
  switch (body.kind) {
    case 'none':
      return ['POST', 'PUT', 'PATCH'].includes(method) ? 0 : null;
    case 'buffered':
      return body.bytes.length;
    case 'stream':
      return body.length;
  }
}

function bodyOf(
  line: Line,
  story: Story,
  o: {
    readonly body: CallBody;
    readonly headers: HeaderList;
    readonly subject: Subject;
    readonly hash: Hash | null;
  },
): AsyncIterable<Uint8Array> | null {
  const { body, hash } = o;
  if (body.kind === 'none') return null;
  const scanner = line.detector.outboundScanner(o.subject);
  // A second search, for what the receiver reads.
  const decoded =
    scanner.idle === true ? null : scanDecoded(o.headers, line.detector.outboundScanner(o.subject));
  const source = body.kind === 'buffered' ? [body.bytes] : body.stream;
  return scanned(line, story, source, { scanner, decoded, hash });
}

/** A chunk that completes a decoy never leaves; the error ends the upstream's request unfinished (G11). */
async function* scanned(
  line: Line,
  story: Story,
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  {
    scanner,
    decoded,
    hash,
  }: {
    readonly scanner: OutboundScanner;
    readonly decoded: DecodedScan | null;
    readonly hash: Hash | null;
  },
): AsyncGenerator<Uint8Array> {
  // A decoder may keep its last words to itself until the end: what it was given leaves one chunk later.
  let kept: Uint8Array | null = null;
  try {
    for await (const chunk of body) {
      await refuseFinding(line, story, scanner.push(chunk));
      hash?.update(chunk);
      if (decoded === null) {
        story.requestBytes += chunk.length;
        yield chunk;
        continue;
      }
      await refuseFinding(line, story, await decoded.push(chunk));
      if (kept !== null) {
        story.requestBytes += kept.length;
        yield kept;
      }
      kept = chunk;
    }
    await refuseFinding(line, story, scanner.end());
    if (decoded !== null) await refuseFinding(line, story, await decoded.end());
    if (kept !== null) {
      story.requestBytes += kept.length;
      yield kept;
    }
  } finally {
    decoded?.close();
  }
}

async function refuseFinding(
  line: Line,
  story: Story,
  finding: ReturnType<OutboundScanner['end']>,
): Promise<void> {
  if (finding === null) return;
  await tellFindings(line, story, [finding], 'deny');
  throw new Refusal(finding.decoy === undefined ? 'secret_in_request' : 'decoy_used');
}
