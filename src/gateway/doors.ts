import type { IncomingMessage, ServerResponse } from 'node:http';
import { Refusal } from '../core/index.ts';
import { clientCertificate } from '../passport/index.ts';
import { isLoopback } from './egress/addresses.ts';
import { type Endpoint, type EndpointRequest, findEndpoint } from './endpoints/index.ts';
import { handleCall } from './handle-call.ts';
import type { Arrival, Destination, Showing } from './ingress/arrival.ts';
import { defaultPort, parseAbsoluteTarget } from './ingress/authority.ts';
import { BodySource } from './ingress/body-source.ts';
import { cameThroughProxy } from './ingress/forwarded.ts';
import {
  DIRECT_FIELDS,
  type PassportFields,
  PROXY_FIELDS,
  presentedPassport,
} from './ingress/passport-fields.ts';
import type { RequestHead } from './ingress/request-head.ts';
import { splitTarget } from './ingress/target.ts';
import type { Tunnel } from './ingress/tunnel.ts';
import type { Line, Story } from './line.ts';

export interface DoorsOptions {
  readonly line: Line;
  readonly endpoints: ReadonlyMap<string, Endpoint>;
  readonly requestTimeoutMs: number;
  /** `host:port` of the gate's own URLs, lower case: what Host may name in reverse mode. */
  readonly ownHosts: () => ReadonlySet<string>;
}

interface Knock {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly head: RequestHead;
  readonly story: Story;
  /** Null: the request came to the port itself. */
  readonly tunnel: Tunnel | null;
}

const REVERSE_PREFIX = '/s/';

/** Which door a request is at: a tunnel, the forward proxy, a service's reverse URL, or an endpoint of the gate. */
export class Doors {
  readonly #options: DoorsOptions;

  constructor(options: DoorsOptions) {
    this.#options = options;
  }

  async enter(knock: Knock): Promise<void> {
    const { head, tunnel } = knock;
    if (tunnel !== null) return this.#intercepted(knock, tunnel);
    const absolute = parseAbsoluteTarget(head.target);
    if (absolute !== null) return this.#forward(knock, absolute);
    const { path } = splitTarget(head.target);
    const endpoint = findEndpoint(this.#options.endpoints, path);
    if (endpoint?.open !== true) this.#checkOwnHost(head);
    if (endpoint !== null) return this.#endpoint(knock, endpoint, path);
    if (head.target.startsWith(REVERSE_PREFIX)) return this.#reverse(knock);
    if (!head.target.startsWith('/'))
      throw new Refusal('request_malformed', { detail: 'The target is no path.' });
    throw new Refusal('not_found', {
      detail: 'The doors of the gate are /s/<service>/, /v1/ and the proxy.',
    });
  }

  #reverse(knock: Knock): Promise<void> {
    const { head } = knock;
    const end = head.target.slice(REVERSE_PREFIX.length).search(/[/?]/);
    const name =
      end < 0
        ? head.target.slice(REVERSE_PREFIX.length)
        : head.target.slice(REVERSE_PREFIX.length, REVERSE_PREFIX.length + end);
    const rest = end < 0 ? '/' : head.target.slice(REVERSE_PREFIX.length + end);
    const htu = `${this.#options.line.settings.publicUrl}${splitTarget(head.target).path}`;
    return this.#handle(knock, {
      door: 'reverse',
      showing: this.#showing(knock, DIRECT_FIELDS, htu),
      destination: { kind: 'service', name },
      rest: rest.startsWith('/') ? rest : `/${rest}`,
    });
  }

  #forward(knock: Knock, target: NonNullable<ReturnType<typeof parseAbsoluteTarget>>): Promise<void> {
    const { origin, rest } = target;
    const { host } = knock.head;
    // RFC 9112 section 3.2.2 lets the target win; two places in one request are refused here all the same.
    if (host.host !== origin.host || (host.port ?? defaultPort(origin.scheme)) !== origin.port) {
      throw new Refusal('request_ambiguous', { detail: 'Target and Host name two places.' });
    }
    const htu = splitTarget(knock.head.target).path;
    return this.#handle(knock, {
      door: 'forward',
      showing: this.#showing(knock, PROXY_FIELDS, htu),
      destination: { kind: 'origin', origin },
      rest,
    });
  }

  #intercepted(knock: Knock, { passport, token, scheme, host, port }: Tunnel): Promise<void> {
    const { head } = knock;
    const absolute = parseAbsoluteTarget(head.target);
    if (absolute === null && !head.target.startsWith('/')) {
      throw new Refusal('request_malformed', { detail: 'The target is no path.' });
    }
    const named = absolute?.origin ?? { scheme, ...head.host, port: head.host.port ?? defaultPort(scheme) };
    const sameHost = head.host.host === host && (head.host.port ?? defaultPort(scheme)) === port;
    if (!sameHost || named.scheme !== scheme || named.host !== host || named.port !== port) {
      throw new Refusal('authority_mismatch');
    }
    return this.#handle(knock, {
      door: 'intercept',
      showing: { kind: 'tunnel', passport, token },
      destination: { kind: 'origin', origin: { scheme, host, port } },
      rest: absolute?.rest ?? head.target,
    });
  }

  #handle(
    { request, response, head, story }: Knock,
    o: {
      readonly door: Arrival['door'];
      readonly showing: Showing;
      readonly destination: Destination;
      readonly rest: string;
    },
  ): Promise<void> {
    const arrival: Arrival = {
      id: story.callId,
      receivedAt: story.startedAt,
      remote: story.remote,
      head,
      body: this.#body(request, response, head),
      ...o,
    };
    return handleCall(this.#options.line, arrival, response, story);
  }

  async #endpoint(knock: Knock, endpoint: Endpoint, path: string): Promise<void> {
    const { request, response, head, story } = knock;
    if (!endpoint.methods.includes(head.method)) {
      throw new Refusal('method_not_allowed', { detail: `Use ${endpoint.methods.join(' or ')}.` });
    }
    const input: EndpointRequest = {
      line: this.#options.line,
      story,
      path,
      query: new URLSearchParams(splitTarget(head.target).query ?? ''),
      presented: () =>
        this.#presented(knock, DIRECT_FIELDS, `${this.#options.line.settings.publicUrl}${path}`),
      body: this.#body(request, response, head),
      response,
    };
    const { status, body } = await endpoint.answer(input);
    const bytes = Buffer.from(JSON.stringify(body));
    response.writeHead(status, {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'content-length': bytes.length,
      ...(request.complete || input.body.isEmpty ? {} : { connection: 'close' }),
    });
    response.end(head.method === 'HEAD' ? undefined : bytes);
  }

  #body(request: IncomingMessage, response: ServerResponse, head: RequestHead): BodySource {
    return new BodySource({ request, response, head, idleTimeoutMs: this.#options.requestTimeoutMs });
  }

  #showing(knock: Knock, fields: PassportFields, htu: string): Showing {
    return { kind: 'presented', presented: this.#presented(knock, fields, htu) };
  }

  #presented({ head, request }: Knock, fields: PassportFields, htu: string) {
    const loopback = isLoopback(request.socket.remoteAddress ?? '') && !cameThroughProxy(head.headers);
    const x5t = clientCertificate(request.socket)?.x5t ?? null;
    return presentedPassport(head.headers, fields, { htm: head.method, htu, loopback, x5t });
  }

  /** A page in a browser can be led here by a name of its own (DNS rebinding); it can't change the Host. */
  #checkOwnHost({ host }: RequestHead): void {
    const own = this.#options.ownHosts();
    const port = host.port ?? 80;
    if (own.has(`${host.host}:${port}`) || (host.port === null && own.has(`${host.host}:443`))) return;
    throw new Refusal('authority_mismatch', { detail: 'The Host field names another place than this gate.' });
  }
}
