import { INTROSPECT_SCOPE } from './agent-input.ts';
import { OAuthFault } from './oauth-fault.ts';
import type { ReadPassport } from './passport-reader.ts';
import type { AgentRecord } from './store.ts';

const SHOWN_CHARS = 140;

/**
 * The scopes that a passport of the agent gets: those that are asked for, or all that it may have; of an exchanged one,
 * what the subject token has as well. Throws OAuthFault('invalid_scope').
 */
export function chooseScopes(
  agent: AgentRecord,
  requested: string | undefined,
  parent: ReadPassport | null = null,
): readonly string[] {
  const held = parent === null ? null : new Set(parent.claims.scopes);
  const grantable = agent.scopes.filter(
    (scope) => scope !== INTROSPECT_SCOPE && (held === null || held.has(scope)),
  );
  if (held !== null && grantable.length === 0) {
    throw new OAuthFault('invalid_scope', 'the client has no scope in common with the subject token');
  }
  if (requested === undefined || requested === '') return grantable;
  const scopes = [...new Set(requested.split(' '))];
  const refused = scopes.find((scope) => !grantable.includes(scope));
  if (refused !== undefined) {
    // The text is the client's own; a part of it is enough to find the fault.
    const shown = refused.slice(0, SHOWN_CHARS);
    const why = held?.has(refused) === false ? 'held by the subject token' : 'registered for this client';
    throw new OAuthFault('invalid_scope', `the scope ${shown} is not ${why}`);
  }
  return scopes;
}

/** Scopes that clients of OpenID and MCP ask for by habit; they are taken, and mean nothing here. */
const HABITS = new Set(['openid', 'offline_access']);

/** What is left of a scope parameter; undefined: nothing was asked for. */
export function withoutHabits(scope: string | null): string | undefined {
  const left = scope?.split(' ').filter((one) => !HABITS.has(one)) ?? [];
  return left.length === 0 ? undefined : left.join(' ');
}
