import type { JsonObject, JsonValue } from '../core/index.ts';

/** What a resource server asks of an access token for one request. Absent members ask nothing. */
export interface AccessRequirement {
  readonly audience: string;
  /** The one party that may act: the outermost `act`, or `sub` where nobody acts for it. */
  readonly actor?: string;
  /** Every one of these scope tokens. */
  readonly scopes?: readonly string[];
  /** An attribute of the user that the token itself must carry. */
  readonly attribute?: { readonly name: string; readonly equals?: JsonValue; readonly contains?: JsonValue };
}

/** What of a token decides: its own claims, and nothing of the tokens before it in the chain. */
export interface AccessGrant {
  readonly audiences: readonly string[];
  /** The current actor. */
  readonly actor: string;
  readonly scopes: readonly string[];
  readonly attributes: JsonObject;
}

export type AccessDenial =
  | 'audience_mismatch'
  | 'actor_not_permitted'
  | 'scope_not_granted'
  | 'attribute_not_carried';

/**
 * Why a token does not give access, or null where it does. Asked in this order, and the first no counts. An
 * attribute that was copied from the token before gives nothing by itself: the scope is asked first.
 */
export function denyAccess(grant: AccessGrant, required: AccessRequirement): AccessDenial | null {
  const { actor, scopes = [], attribute } = required;
  if (!grant.audiences.includes(required.audience)) return 'audience_mismatch';
  if (actor !== undefined && grant.actor !== actor) return 'actor_not_permitted';
  if (!scopes.every((scope) => grant.scopes.includes(scope))) return 'scope_not_granted';
  return attribute === undefined || carries(grant.attributes, attribute) ? null : 'attribute_not_carried';
}

/** Whether an exchanged token's scopes lie within those of the token that it was exchanged from. */
export function isScopeWithin(child: readonly string[], parent: readonly string[]): boolean {
  return child.every((scope) => parent.includes(scope));
}

function carries(
  attributes: JsonObject,
  { name, equals, contains }: NonNullable<AccessRequirement['attribute']>,
): boolean {
  const value = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
  if (value === undefined) return false;
  if (equals !== undefined && value !== equals) return false;
  return contains === undefined || (Array.isArray(value) && value.includes(contains));
}
