import type { AccessTokenClaims } from '../proof/index.ts';

/** A limit on calls: the `detail`-th detail of the passport that began `hop` allows `limit` of them. */
export interface CallBudget {
  readonly hop: string;
  readonly detail: number;
  readonly limit: number;
}

/** The limits of each detail, as the claims name them: those of the passport's own hop and of all before it. */
export function budgetsOf(claims: AccessTokenClaims): readonly (readonly CallBudget[])[] {
  return claims.details.map((_, index) =>
    (claims.budgets[index] ?? []).flatMap(({ hop, detail, limit }) => {
      const id = claims.chain[hop];
      return id === undefined ? [] : [{ hop: id, detail, limit }];
    }),
  );
}
