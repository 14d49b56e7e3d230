import { type JsonObject, LIMITS } from '../../core/index.ts';
import { ProofFault, parseStrictJson, parseToolCallDetails, type ToolCallDetail } from '../../proof/index.ts';
import { OAuthFault } from '../oauth-fault.ts';
import type { TokenForm } from './token-form.ts';

/** What a token request asks for beside scope and resource; every grant takes it. It can only narrow. */
export interface AskedGrant {
  /** Null: none were named. */
  readonly details: readonly ToolCallDetail[] | null;
  /** Id of the one agent that may exchange the passport (RFC 8693 section 4.4). */
  readonly mayAct: string | null;
  /** Delegations that the chain may hold in all. */
  readonly maxDepth: number | null;
  readonly lifetimeSeconds: number | null;
}

export const NOTHING_ASKED: AskedGrant = {
  details: null,
  mayAct: null,
  maxDepth: null,
  lifetimeSeconds: null,
};

/** As it is stored until somebody has decided. */
export function askedToJson({ details, mayAct, maxDepth, lifetimeSeconds }: AskedGrant): JsonObject {
  return { details, mayAct, maxDepth, lifetimeSeconds };
}

export function askedFromJson({ details, mayAct, maxDepth, lifetimeSeconds }: JsonObject): AskedGrant {
  return {
    details: Array.isArray(details) ? parseToolCallDetails(details) : null,
    mayAct: typeof mayAct === 'string' ? mayAct : null,
    maxDepth: typeof maxDepth === 'number' ? maxDepth : null,
    lifetimeSeconds: typeof lifetimeSeconds === 'number' ? lifetimeSeconds : null,
  };
}

const ID_CHARS = 256;
const LONGEST_ASKED_SECONDS = 365 * 24 * 3600;

/** Throws OAuthFault: invalid_request, invalid_authorization_details. */
export function readAskedGrant(form: TokenForm): AskedGrant {
  const details = form.one('authorization_details');
  const mayAct = form.one('may_act');
  if (mayAct !== null && mayAct.length > ID_CHARS) {
    throw new OAuthFault('invalid_request', 'may_act is the client_id of one agent');
  }
  return {
    details: details === null ? null : readDetails(details),
    mayAct,
    maxDepth: whole(form, 'max_depth', 0, LIMITS.chainHops - 1),
    lifetimeSeconds: whole(form, 'requested_lifetime', 1, LONGEST_ASKED_SECONDS),
  };
}

function readDetails(text: string): readonly ToolCallDetail[] {
  try {
    return parseToolCallDetails(parseStrictJson(text, LIMITS.jsonDepth));
  } catch (cause) {
    if (!(cause instanceof ProofFault)) throw cause;
    const why = cause.code === 'details' ? cause.message : 'The authorization details are not plain JSON.';
    throw new OAuthFault('invalid_authorization_details', why, { cause });
  }
}

function whole(form: TokenForm, name: string, least: number, most: number): number | null {
  const text = form.one(name);
  if (text === null) return null;
  const value = /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) {
    throw new OAuthFault('invalid_request', `${name} is a whole number from ${least} to ${most}`);
  }
  return value;
}
