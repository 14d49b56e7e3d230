import { RelayFault } from './fault.ts';
import { sentenceOf } from './passport-holder.ts';

/** What the relay itself says no to; refusals of the gateway pass through as they come. */
export interface Problem {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** An answer in the gate's own form (RFC 9457), marked as the relay's. */
export function problem(
  status: number,
  title: string,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): Problem {
  const body = `${JSON.stringify({ type: 'about:blank', status, title, detail, source: 'sallyport relay' })}\n`;
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      'content-length': String(Buffer.byteLength(body)),
      ...headers,
    },
    body,
  };
}

/** A fault of the relay while it worked for the child. */
export function problemOf(fault: unknown): Problem {
  const gateway = fault instanceof RelayFault && fault.code === 'gateway_unreachable';
  return problem(
    502,
    gateway ? 'The gateway can not be reached.' : 'The relay has no passport to show.',
    sentenceOf(fault),
  );
}

export const PASSWORD_NEEDED = problem(
  407,
  'This relay serves one program.',
  'Use the proxy address, password included, from the environment that sallyport run sets.',
  { 'proxy-authenticate': 'Basic realm="sallyport relay"', connection: 'close' },
);

export const NOT_A_PROXY_REQUEST = problem(
  400,
  'This is a proxy.',
  'Send CONNECT host:port, or a request whose target is a whole http:// address.',
  { connection: 'close' },
);
