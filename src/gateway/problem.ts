import { STATUS_CODES } from 'node:http';
import { describeRefusal, type JsonValue, type Refusal } from '../core/index.ts';
import { DPOP_ALGORITHMS } from '../proof/index.ts';
import { toWire } from './to-wire.ts';

export interface ProblemOptions {
  /** Null where no call began. */
  readonly callId: string | null;
  /** URL of the RFC 9728 metadata, for challenges. */
  readonly resourceMetadata: string;
  /** True at the proxy's own doors: RFC 9110 section 15.5.8 has 407 and Proxy-Authenticate there. */
  readonly proxy: boolean;
}

export interface Problem {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly closes: boolean;
}

/** Algorithms of proofs that the gate takes (RFC 9449 section 7.1). */
const ALGORITHMS = [...DPOP_ALGORITHMS].join(' ');

const PARAMETER_CHARS = 1024;

/** A refusal as RFC 9457 problem+json, so that an agent can tell the gate's no from the upstream's. */
export function problemOf(refusal: Refusal, options: ProblemOptions): Problem {
  const wire = toWire(refusal.code);
  const { what, remedy } = describeRefusal(refusal.code);
  const status = wire.status === 401 && options.proxy ? 407 : wire.status;
  const headers: Record<string, string> = {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    'sallyport-refusal': refusal.code,
  };
  if (wire.challenge !== null) {
    const challenge = challengeOf(wire.challenge, refusal, options.resourceMetadata);
    headers[status === 407 ? 'proxy-authenticate' : 'www-authenticate'] = challenge;
  }
  if (refusal.code === 'proof_nonce' && typeof refusal.extra.dpopNonce === 'string') {
    headers['dpop-nonce'] = refusal.extra.dpopNonce;
  }
  if (refusal.retryAfterMs !== null) headers['retry-after'] = String(Math.ceil(refusal.retryAfterMs / 1000));
  const body = {
    type: `urn:sallyport:refusal:${refusal.code}`,
    title: what,
    status,
    ...(refusal.detail === null || refusal.detail === what ? {} : { detail: refusal.detail }),
    code: refusal.code,
    remedy,
    ...(options.callId === null ? {} : { callId: options.callId }),
    ...refusal.extra,
  };
  return { status, headers, body: JSON.stringify(body), closes: wire.closes };
}

function challengeOf(error: string, refusal: Refusal, resourceMetadata: string): string {
  const parameters = [
    ...(error === '' ? [] : [`error="${error}"`]),
    ...(typeof refusal.extra.scope === 'string'
      ? [`scope="${refusal.extra.scope.replace(/["\\]/g, '')}"`]
      : []),
    ...detailsParameter(refusal.extra.authorization_details),
    `algs="${ALGORITHMS}"`,
    `resource_metadata="${resourceMetadata}"`,
  ];
  return `DPoP ${parameters.join(', ')}`;
}

/** What to ask for, as a quoted string (RFC 9110 section 5.6.4); left out where it would make a large field. */
function detailsParameter(details: JsonValue | undefined): readonly string[] {
  if (details === undefined) return [];
  const text = JSON.stringify(details).replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const quoted = text.replace(/["\\]/g, '\\$&');
  return quoted.length > PARAMETER_CHARS ? [] : [`authorization_details="${quoted}"`];
}

/** The whole answer as bytes, for a connection that has no response object (CONNECT, parser faults). */
export function rawProblem(problem: Problem): string {
  const lines = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? 'Refused'}`,
    ...Object.entries(problem.headers).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(problem.body)}`,
    'connection: close',
  ];
  return `${lines.join('\r\n')}\r\n\r\n${problem.body}`;
}
