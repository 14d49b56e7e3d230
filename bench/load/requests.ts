import { assertionForm, type Client, requestToken, SigningKey } from './agent.ts';

/** An agent's key across processes. */
export interface AgentSpec {
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly clientId: string;
  readonly kid: string;
  /** Private half of its P-256 key, PKCS #8 in PEM. */
  readonly privateKeyPem: string;
  readonly resource: string;
  readonly scope: string | null;
}

/** The requests of one load. */
export type RequestSpec =
  /** The same bytes each time. */
  | { readonly kind: 'fixed'; readonly bytes: string }
  /** `head` with a passport and a fresh proof for each request. */
  | {
      readonly kind: 'dpop';
      readonly head: string;
      readonly htm: string;
      readonly htu: string;
      readonly agent: AgentSpec;
    }
  /** `head` with one passport that is bound to no key. */
  | { readonly kind: 'bearer'; readonly head: string; readonly agent: AgentSpec }
  /** A request to the issuer, `form` with what authenticates the agent: its secret, or a fresh assertion. */
  | {
      readonly kind: 'token';
      readonly path: string;
      readonly host: string;
      readonly agent: AgentSpec;
      readonly form: Readonly<Record<string, string>>;
      readonly secret: string | null;
      /** Whether a fresh DPoP proof comes with it. */
      readonly proves: boolean;
    };

/** Prepares `expected` requests, so that signing is not measured; what comes beyond is signed on the way. */
export async function prepareRequests(spec: RequestSpec, expected: number): Promise<() => string> {
  if (spec.kind === 'fixed') return () => spec.bytes;
  if (spec.kind === 'bearer') {
    const token = await requestUnbound(spec.agent);
    const bytes = `${spec.head}authorization: Bearer ${token}\r\n\r\n`;
    return () => bytes;
  }
  const client = clientOf(spec.agent);
  const make = spec.kind === 'token' ? tokenRequest(client, spec) : await boundRequest(client, spec);
  const ready = Array.from({ length: expected }, make);
  return () => ready.pop() ?? make();
}

/** A passport that is bound to no key. */
export function requestUnbound(agent: AgentSpec): Promise<string> {
  return requestToken(clientOf(agent), 'none');
}

async function boundRequest(
  client: Client,
  { head, htm, htu }: Extract<RequestSpec, { kind: 'dpop' }>,
): Promise<() => string> {
  const token = await requestToken(client);
  return () =>
    `${head}authorization: DPoP ${token}\r\ndpop: ${client.proofKey.prove({ htm, htu, token })}\r\n\r\n`;
}

function tokenRequest(client: Client, o: Extract<RequestSpec, { kind: 'token' }>): () => string {
  const { path, host, form, secret, proves } = o;
  const basic = secret === null ? '' : Buffer.from(`${client.clientId}:${secret}`).toString('base64');
  return () => {
    const body = new URLSearchParams(
      secret === null ? { ...form, ...assertionForm(client) } : form,
    ).toString();
    const proof = proves ? client.proofKey.prove({ htm: 'POST', htu: client.tokenEndpoint }) : '';
    return (
      `POST ${path} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/x-www-form-urlencoded\r\n` +
      `content-length: ${body.length}\r\n${proves ? `dpop: ${proof}\r\n` : ''}` +
      `${secret === null ? '' : `authorization: Basic ${basic}\r\n`}\r\n${body}`
    );
  };
}

function clientOf(agent: AgentSpec): Client {
  return { ...agent, key: SigningKey.fromPem(agent.privateKeyPem), proofKey: new SigningKey() };
}
