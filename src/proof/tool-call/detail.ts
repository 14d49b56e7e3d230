import { type JsonObject, type JsonValue, LIMITS } from '../../core/index.ts';
import { ProofFault } from '../fault.ts';
import { parseArgumentPath } from './argument-path.ts';
import { type ArgumentConstraint, parseConstraint } from './constraint.ts';

/**
 * One authorization detail of type `tool_call` (RFC 9396): HTTP calls of a service (`service`, with `method` and
 * `path` where it names them), or calls of a tool (`tool`, with the `server` that has it, or `server` alone for
 * all of its tools).
 */
export type ToolCallDetail = {
  readonly type: 'tool_call';
  readonly service?: string;
  readonly server?: string;
  readonly tool?: string;
  /** Upper case. */
  readonly method?: string;
  /** A canonical path; with `/*` at its end, everything below. */
  readonly path?: string;
  /** Argument path → constraint. Those of HTTP calls begin with `query.` or `body.`. */
  readonly arguments?: Readonly<Record<string, ArgumentConstraint>>;
  /** How many calls, all descendants of this passport included. */
  readonly max_calls?: number;
  /** Seconds since the epoch; the last moment is the one before. */
  readonly not_after?: number;
};

export const DETAIL_TYPE = 'tool_call';

const MEMBERS: ReadonlySet<string> = new Set([
  'type',
  'service',
  'server',
  'tool',
  'method',
  'path',
  'arguments',
  'max_calls',
  'not_after',
]);
const SERVICE = /^[a-z0-9][a-z0-9-]{0,62}$/;
const METHOD = /^[A-Z][A-Z-]{0,19}$/;
const PATH = /^(?:\/[^?#\\*\s\p{Cc}]*|(?:\/[^?#\\*\s\p{Cc}]*)?\/\*)$/u;
const PATH_CHARS = 1024;
const NAME_CHARS = 256;
const MOST_CALLS = 1_000_000_000;
const LAST_SECOND = 253_402_300_799;

/**
 * Reads authorization details: an array of 1 to 16, together no longer than a passport can carry, each of this
 * type, and with no member that is not understood (RFC 9396 section 5). Throws ProofFault('details').
 */
export function parseToolCallDetails(value: JsonValue): readonly ToolCallDetail[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > LIMITS.details) {
    throw faulty(`are not an array of 1 to ${LIMITS.details}`);
  }
  if (JSON.stringify(value).length > LIMITS.detailsChars) {
    throw faulty(`are longer than ${LIMITS.detailsChars} characters`);
  }
  return value.map(parseDetail);
}

function parseDetail(value: JsonValue): ToolCallDetail {
  if (!isObject(value)) throw faulty('hold something that is no JSON object');
  if (value.type !== DETAIL_TYPE) throw faulty(`have a type that is not ${DETAIL_TYPE}`);
  const unknown = Object.keys(value).find((name) => !MEMBERS.has(name));
  if (unknown !== undefined) throw faulty(`have an unknown member ${JSON.stringify(unknown.slice(0, 64))}`);
  const { service, server, tool, method, path, max_calls, not_after } = value;
  const http = service !== undefined;
  if (http && (server !== undefined || tool !== undefined))
    throw faulty('name a service and a tool or server');
  if (!http && server === undefined && tool === undefined) throw faulty('name no service, server or tool');
  if (!http && (method !== undefined || path !== undefined))
    throw faulty('name a method or path without service');
  return {
    type: DETAIL_TYPE,
    ...(service === undefined ? {} : { service: matching(service, SERVICE, 'service') }),
    ...(server === undefined ? {} : { server: serverName(server) }),
    ...(tool === undefined ? {} : { tool: name(tool, 'tool') }),
    ...(method === undefined ? {} : { method: matching(method, METHOD, 'method') }),
    ...(path === undefined ? {} : { path: pathOf(path) }),
    ...(value.arguments === undefined ? {} : { arguments: constraints(value.arguments, http) }),
    ...(max_calls === undefined ? {} : { max_calls: whole(max_calls, 1, MOST_CALLS, 'max_calls') }),
    ...(not_after === undefined ? {} : { not_after: whole(not_after, 0, LAST_SECOND, 'not_after') }),
  };
}

function constraints(value: JsonValue, http: boolean): Readonly<Record<string, ArgumentConstraint>> {
  if (!isObject(value)) throw faulty('have arguments that are no JSON object');
  const entries = Object.entries(value);
  if (entries.length === 0 || entries.length > LIMITS.detailArguments) {
    throw faulty(`name no arguments, or more than ${LIMITS.detailArguments}`);
  }
  const read = entries.map(([path, constraint]) => {
    const [place = '', ...rest] = parseArgumentPath(path);
    if (http && ((place !== 'query' && place !== 'body') || rest.length === 0)) {
      throw faulty('name an argument of an HTTP call that does not begin with query. or body.');
    }
    return [path, parseConstraint(constraint)] as const;
  });
  // Without a prototype: the names are the client's.
  return Object.assign(Object.create(null), Object.fromEntries(read));
}

/** Hosts join server and tool by two underscores; a name that holds them could pass for another pair. */
function serverName(value: JsonValue): string {
  const server = name(value, 'server');
  if (server.includes('__')) throw faulty('have a server with two underscores in its name');
  return server;
}

function pathOf(value: JsonValue): string {
  if (typeof value !== 'string' || value.length > PATH_CHARS || !PATH.test(value)) {
    throw faulty('have a path that is not canonical (a /* may stand at its end alone)');
  }
  const segments = value.split('/').slice(1, -1);
  if (segments.includes('') || /(?:^|\/)\.\.?(?:\/|$)/.test(value))
    throw faulty('have a path that is not canonical');
  return value;
}

function matching(value: JsonValue, form: RegExp, what: string): string {
  if (typeof value !== 'string' || !form.test(value)) throw faulty(`have a malformed ${what}`);
  return value;
}

function name(value: JsonValue, what: string): string {
  const good =
    typeof value === 'string' &&
    value.length > 0 &&
    value.length <= NAME_CHARS &&
    value.isWellFormed() &&
    !/\p{Cc}/u.test(value);
  if (!good) throw faulty(`have a malformed ${what}`);
  return value;
}

function whole(value: JsonValue, least: number, most: number, what: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    throw faulty(`have a ${what} that is no whole number from ${least} to ${most}`);
  }
  return value;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function faulty(what: string): ProofFault {
  return new ProofFault('details', `The authorization details ${what}.`);
}
