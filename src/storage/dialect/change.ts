import type { Kysely } from 'kysely';
import { z } from 'zod';
import type { Schema } from '../schema.ts';

/** What nodes tell each other. Small: PostgreSQL carries at most 8,000 bytes a notification. */
export const changeSchema = z.discriminatedUnion('topic', [
  z.strictObject({
    topic: z.literal('revocation'),
    tenant: z.string(),
    id: z.string(),
    kind: z.enum(['token', 'hop', 'session', 'agent', 'owner', 'user', 'credential', 'key']),
    value: z.string(),
    revokedAt: z.number(),
    expiresAt: z.number().nullable(),
    by: z.string(),
    reason: z.string().nullable(),
  }),
  z.strictObject({ topic: z.literal('credential'), tenant: z.string(), name: z.string() }),
  z.strictObject({ topic: z.literal('service') }),
]);

export type Change = z.infer<typeof changeSchema>;

export interface Follower {
  readonly onChange: (change: Change) => void;
  /** Changes may have been missed: read everything again. */
  readonly onGap: () => void;
}

/** How changes reach those who follow them, on this node and on others. */
export interface ChangeFeed {
  /** Inside the transaction that makes the change. */
  announce(transaction: Kysely<Schema>, change: Change): Promise<void>;
  /** After that transaction has committed. */
  committed(changes: readonly Change[]): void;
  /** Resolves once nothing that commits from now on can be missed. */
  follow(follower: Follower): Promise<{ stop(): Promise<void> }>;
}

/** Tells all followers; one that throws does not keep the news from the others. */
export function tellAll(
  followers: Iterable<Follower>,
  tell: (follower: Follower) => void,
  onFault: (fault: unknown) => void,
): void {
  for (const follower of [...followers]) {
    try {
      tell(follower);
    } catch (fault) {
      onFault(fault);
    }
  }
}
