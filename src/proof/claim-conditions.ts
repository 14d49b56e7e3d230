import type { JsonObject, JsonValue } from '../core/index.ts';
import {
  type ArgumentConstraint,
  argumentAt,
  parseArgumentPath,
  parseConstraint,
  satisfies,
} from './tool-call/index.ts';

/** What claims of another issuer have to say; all of it must hold. */
export type ClaimConditions = readonly {
  readonly path: readonly string[];
  readonly constraint: ArgumentConstraint;
}[];

/** Reads claim path → constraint (`eq`, `in`, `prefix`, `max`, `min`). Throws ProofFault for what can't be read. */
export function parseClaimConditions(claims: Readonly<Record<string, JsonValue>>): ClaimConditions {
  return Object.entries(claims).map(([path, constraint]) => ({
    path: parseArgumentPath(path),
    constraint: parseConstraint(constraint),
  }));
}

export function meetsConditions(conditions: ClaimConditions, claims: JsonObject): boolean {
  return conditions.every(({ path, constraint }) => satisfies(argumentAt(claims, path), constraint));
}
