import type { Guard } from './guard.ts';
import type { GuardCounts } from './supervised.ts';

/** A guard with the life of its process. */
export interface OpenGuard extends Guard {
  /** Whether a missing opinion counts as a missed deadline. */
  readonly isRequired: boolean;
  /** False: it is required, and not there; calls are judged as late. */
  readonly isFit: boolean;
  readonly counts: GuardCounts;
  /** Resolves when the first attempt to start has come to an end, or after so long. */
  settled(mostMs: number): Promise<void>;
  stats(): Promise<Readonly<Record<string, number>> | null>;
  close(): Promise<void>;
}
