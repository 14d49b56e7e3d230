import type { z } from 'zod';
import type { JsonValue } from '../../core/index.ts';
import type { AdminRooms } from '../rooms.ts';
import type { AdminRole } from '../store.ts';
import type { AdminIdentity } from '../tokens.ts';
import { type Fault, faultsOf } from './faults.ts';

/** What a handler gets besides the checked input. */
export interface RouteContext {
  readonly rooms: AdminRooms;
  readonly admin: AdminIdentity;
  readonly tenant: string;
  /** As the audit log names who makes the change. */
  readonly by: string;
  /** Milliseconds since the epoch, when the request came in. */
  readonly now: number;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
}

/** An answer that is not one JSON value. */
export interface StreamedAnswer {
  readonly contentType: string;
  readonly chunks: AsyncIterable<string>;
}

export type HttpMethod = 'get' | 'post' | 'put' | 'patch' | 'delete';

interface RouteSpec<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType> {
  readonly method: HttpMethod;
  /** Below `/admin/v1`, with `:name` for parameters. */
  readonly path: string;
  readonly summary: string;
  /** Roles that may call it. */
  readonly roles: readonly AdminRole[];
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** What leaves: members that it does not name are left out, so that a new column never slips out. */
  readonly result: R;
  /** A body for the documentation, where one made from the schema would not pass its checks. */
  readonly example?: z.input<B>;
  /** 200 unless told; 204 sends no body. */
  readonly status?: 200 | 201 | 204;
  handle(
    input: { readonly params: z.output<P>; readonly query: z.output<Q>; readonly body: z.output<B> },
    context: RouteContext,
  ): Promise<z.input<R>>;
}

interface StreamSpec<Q extends z.ZodType> {
  readonly path: string;
  readonly summary: string;
  readonly roles: readonly AdminRole[];
  readonly query: Q;
  readonly contentType: string;
  stream(query: z.output<Q>, context: RouteContext): AsyncIterable<string>;
}

/** Raw input as the request gives it. `body` is undefined when there is none. */
export interface RawInput {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/** One line of the table of routes: what OpenAPI, the reference page and the server are made from. */
export interface Route {
  readonly method: HttpMethod;
  readonly path: string;
  readonly summary: string;
  readonly roles: readonly AdminRole[];
  readonly params: z.ZodType | null;
  readonly query: z.ZodType | null;
  readonly body: z.ZodType | null;
  readonly result: z.ZodType | null;
  readonly contentType: string;
  readonly status: 200 | 201 | 204;
  readonly example: unknown;
  /** Checks the input as a whole; all faults at once. The value runs the handler. */
  check(raw: RawInput): Checked<(context: RouteContext) => Promise<JsonValue | StreamedAnswer>>;
}

export function defineRoute<
  P extends z.ZodType,
  Q extends z.ZodType,
  B extends z.ZodType,
  R extends z.ZodType,
>(spec: RouteSpec<P, Q, B, R>): Route {
  return {
    method: spec.method,
    path: spec.path,
    summary: spec.summary,
    roles: spec.roles,
    params: spec.params ?? null,
    query: spec.query ?? null,
    body: spec.body ?? null,
    result: spec.result,
    contentType: 'application/json',
    status: spec.status ?? 200,
    example: spec.example,
    check(raw) {
      const faults: Fault[] = [];
      const params = checkPart(spec.params, raw.params, 'path', faults);
      const query = checkPart(spec.query, raw.query, 'query', faults);
      const body = checkPart(spec.body, raw.body, 'body', faults);
      if (faults.length > 0) return { ok: false, faults };
      const input = {
        params: params as z.output<P>,
        query: query as z.output<Q>,
        body: body as z.output<B>,
      };
      return {
        ok: true,
        value: async (context) => spec.result.parse(await spec.handle(input, context)) as JsonValue,
      };
    },
  };
}

export function defineStream<Q extends z.ZodType>(spec: StreamSpec<Q>): Route {
  return {
    method: 'get',
    path: spec.path,
    summary: spec.summary,
    roles: spec.roles,
    params: null,
    query: spec.query,
    body: null,
    result: null,
    contentType: spec.contentType,
    status: 200,
    example: undefined,
    check(raw) {
      const faults: Fault[] = [];
      const query = checkPart(spec.query, raw.query, 'query', faults);
      checkPart(undefined, raw.body, 'body', faults);
      if (faults.length > 0) return { ok: false, faults };
      return {
        ok: true,
        value: async (context) => ({
          contentType: spec.contentType,
          chunks: spec.stream(query as z.output<Q>, context),
        }),
      };
    },
  };
}

/** Parses one part of the input. A part that the route does not take must be absent or empty. */
function checkPart(schema: z.ZodType | undefined, raw: unknown, part: Fault['in'], faults: Fault[]): unknown {
  if (schema === undefined) {
    if (isEmpty(raw)) return undefined;
    faults.push({ in: part, pointer: '', detail: `this endpoint takes no ${part}` });
    return undefined;
  }
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  faults.push(...faultsOf(parsed.error, part));
  return undefined;
}

function isEmpty(raw: unknown): boolean {
  return raw === undefined || (typeof raw === 'object' && raw !== null && Object.keys(raw).length === 0);
}
