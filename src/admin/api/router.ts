import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { type ErrorRequestHandler, type RequestHandler, Router } from 'express';
import helmet from 'helmet';
import { type AuditEvent, type Clock, type JsonValue, Refusal } from '../../core/index.ts';
import type { AdminRooms } from '../rooms.ts';
import type { AdminIdentity, AdminTokens } from '../tokens.ts';
import { authenticate, authorize } from './authenticate.ts';
import { FailureLimit } from './failure-limit.ts';
import type { Fault } from './faults.ts';
import { isOwnHost } from './host-names.ts';
import { Idempotency, type IdempotencyOptions, idempotencyKeyOf } from './idempotency.ts';
import { sendProblem } from './problem.ts';
import { readBody } from './read-body.ts';
import { readQuery } from './read-query.ts';
import type { Route, StreamedAnswer } from './route.ts';
import { ROUTES } from './routes/index.ts';

/** An answer that goes on is looked at so often: a deleted token reads on for no longer than this. */
const WATCH_MS = 1_000;

export interface AdminApiOptions {
  readonly rooms: AdminRooms;
  readonly tokens: AdminTokens;
  readonly audit: (event: AuditEvent) => Promise<unknown>;
  readonly clock: Clock;
  /** Names under which the control plane may be addressed; see controlHostNames. */
  readonly hostNames: readonly string[];
  /** The tenant that the rooms serve; tokens of another one are refused. */
  readonly tenant: string;
  /** What answers that are asked for again are kept with. */
  readonly idempotency: Omit<IdempotencyOptions, 'clock'>;
  /** Told of faults of ours, which the client sees as `internal_error`. */
  readonly onFault: (fault: unknown) => void;
}

/** The admin API, to be mounted at `/admin/v1`: no cookies, no CORS; a bearer token on each request. */
export function createAdminApi(options: AdminApiOptions): RequestHandler {
  const api = new AdminApi(options);
  const router = Router({ caseSensitive: true, strict: true });
  router.use(helmet());
  for (const [path, routes] of Map.groupBy(ROUTES, (route) => route.path)) {
    const mounted = router.route(path);
    for (const route of routes) {
      mounted[route.method]((request, response) => api.answer(request, response, route, request.params));
    }
    const allow = routes.map((route) => route.method.toUpperCase()).join(', ');
    mounted.all((request, response) => {
      response.setHeader('allow', allow);
      return api.answer(
        request,
        response,
        new Refusal('method_not_allowed', { detail: `Allowed: ${allow}.` }),
        {},
      );
    });
  }
  router.use((request, response) => api.answer(request, response, new Refusal('not_found'), {}));
  // Express throws for a path whose percent encoding is broken; its own error page would show the stack.
  const unreadable: ErrorRequestHandler = (cause, request, response, _next) =>
    api.answer(request, response, new Refusal('request_malformed', { cause }), {});
  router.use(unreadable);
  return router;
}

/** Who asks: the administrator once he is known, and the address of the connection. */
interface Caller {
  readonly admin: AdminIdentity | null;
  readonly remote: string | null;
}

class AdminApi {
  readonly #options: AdminApiOptions;
  readonly #failures = new FailureLimit();
  readonly #idempotency: Idempotency;

  constructor(options: AdminApiOptions) {
    this.#options = options;
    this.#idempotency = new Idempotency({ ...options.idempotency, clock: options.clock });
  }

  /** The whole way of one request. What is not there (a Refusal) is told to authenticated callers alone. */
  async answer(
    request: IncomingMessage,
    response: ServerResponse,
    found: Route | Refusal,
    params: unknown,
  ): Promise<void> {
    let admin: AdminIdentity | null = null;
    // Taken now: a connection that is closed meanwhile has no address any more.
    const remote = request.socket.remoteAddress ?? null;
    const faults: Fault[] = [];
    try {
      this.#checkHost(request);
      admin = await authenticate(request, this.#options);
      if (found instanceof Refusal) throw found;
      authorize(admin, found.roles);
      const raw = { params, query: readQuery(request.url ?? ''), body: await readBody(request) };
      const checked = found.check(raw);
      if (!checked.ok) {
        faults.push(...checked.faults);
        throw new Refusal('input_invalid');
      }
      const context = this.#context(admin, response);
      const key = idempotencyKeyOf(request);
      if (key === null) {
        const answer = await checked.value(context);
        if (!isStream(answer)) linkNext(request, response, answer);
        await send(response, found, answer);
        return;
      }
      const target = targetOf(request);
      const once = { admin, key, method: found.method, target, body: raw.body };
      const { answer, replayed } = await this.#idempotency.once(once, () =>
        onlyValue(checked.value(context)),
      );
      if (replayed) response.setHeader('idempotency-replayed', 'true');
      await send(response, found, answer);
    } catch (cause) {
      // A client that went away (a follower of the log that was stopped) is no fault of anybody.
      if (!(cause instanceof Refusal) && isGone(response)) return;
      const refusal = toRefusal(cause, this.#options.onFault);
      await this.#refuse(request, response, { admin, remote }, refusal, faults);
    }
  }

  #checkHost(request: IncomingMessage): void {
    if (isOwnHost(request.headers.host, this.#options.hostNames)) return;
    throw new Refusal('authority_mismatch', {
      detail:
        'The Host field does not name this control plane. Set control.publicUrl if it has another name.',
    });
  }

  #context(admin: AdminIdentity, response: ServerResponse) {
    const gone = new AbortController();
    const watch = setInterval(() => void this.#endIfRevoked(admin, response), WATCH_MS).unref();
    response.once('close', () => {
      clearInterval(watch);
      gone.abort();
    });
    return {
      rooms: this.#options.rooms,
      admin,
      tenant: admin.tenant,
      by: admin.by,
      now: this.#options.clock.now(),
      signal: gone.signal,
    };
  }

  /** Who follows the log, or waits, does so no longer than his token lives. */
  async #endIfRevoked(admin: AdminIdentity, response: ServerResponse): Promise<void> {
    // A database that can't be asked just now says nothing about the token.
    const isLive = await this.#options.tokens.isLive(admin).catch(() => true);
    if (!isLive) response.destroy();
  }

  async #refuse(
    request: IncomingMessage,
    response: ServerResponse,
    caller: Caller,
    refusal: Refusal,
    faults: readonly Fault[],
  ): Promise<void> {
    const wait = caller.admin === null ? this.#countFailure(caller) : null;
    if (wait === null) await this.#record(request, caller, refusal);
    if (response.headersSent) {
      // A stream that broke: the client must not take what it has for the whole.
      response.destroy();
      return;
    }
    if (!request.complete) response.setHeader('connection', 'close');
    sendProblem(response, wait === null ? refusal : new Refusal('throttled', { retryAfterMs: wait }), faults);
  }

  #countFailure({ remote }: Caller): number | null {
    return this.#failures.count(remote ?? 'unknown', this.#options.clock.now());
  }

  /** A refusal changes nothing, so it is answered even when the log can't take its record. */
  async #record(request: IncomingMessage, { admin, remote }: Caller, refusal: Refusal): Promise<void> {
    try {
      await this.#options.audit({
        type: 'admin.refused',
        tenant: admin?.tenant ?? this.#options.tenant,
        at: this.#options.clock.now(),
        data: {
          code: refusal.code,
          method: (request.method ?? '').slice(0, 16),
          path: pathOf(request),
          remote,
        },
      });
    } catch (fault) {
      this.#options.onFault(fault);
    }
  }
}

/** Without the query, which may hold what does not belong into a log; printable, and not endless. */
function pathOf(request: IncomingMessage & { readonly originalUrl?: string }): string {
  const [path = ''] = (request.originalUrl ?? request.url ?? '').split('?');
  return path.slice(0, 200).replaceAll(/[^\x21-\x7e]/g, '?');
}

/** Path and query as the client wrote them, with the place that the router is mounted at. */
function targetOf(request: IncomingMessage & { readonly originalUrl?: string }): string {
  return request.originalUrl ?? request.url ?? '';
}

/** Names the next page of a list (RFC 8288). */
function linkNext(request: IncomingMessage, response: ServerResponse, answer: JsonValue): void {
  if (typeof answer !== 'object' || answer === null || !('next' in answer)) return;
  if (typeof answer.next !== 'string') return;
  const [path, query] = targetOf(request).split('?');
  const next = new URLSearchParams(query);
  next.set('cursor', answer.next);
  response.setHeader('link', `<${path}?${next}>; rel="next"`);
}

/** Streams answer GET alone, which takes no Idempotency-Key. */
async function onlyValue(answer: Promise<JsonValue | StreamedAnswer>): Promise<JsonValue> {
  const value = await answer;
  if (isStream(value)) throw new TypeError('a stream can not be kept');
  return value;
}

function isGone(response: ServerResponse): boolean {
  return response.destroyed || response.socket === null || response.socket.destroyed;
}

function toRefusal(cause: unknown, onFault: (fault: unknown) => void): Refusal {
  if (cause instanceof Refusal) return cause;
  onFault(cause);
  return new Refusal('internal_error', { cause });
}

async function send(
  response: ServerResponse,
  route: Route,
  answer: JsonValue | StreamedAnswer,
): Promise<void> {
  response.setHeader('cache-control', 'no-store');
  response.statusCode = route.status;
  if (isStream(answer)) {
    response.setHeader('content-type', answer.contentType);
    await pipeline(answer.chunks, response);
    return;
  }
  if (route.status === 204) {
    response.end();
    return;
  }
  const text = JSON.stringify(answer);
  response.setHeader('content-type', 'application/json');
  response.setHeader('content-length', Buffer.byteLength(text));
  response.end(text);
}

function isStream(answer: JsonValue | StreamedAnswer): answer is StreamedAnswer {
  return typeof answer === 'object' && answer !== null && 'chunks' in answer;
}
