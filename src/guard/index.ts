import { absentGuard } from './absent.ts';
import type { GuardStatus } from './guard.ts';

export { absentGuard } from './absent.ts';
export type { Guard, GuardScores, GuardSegment, GuardStatus } from './guard.ts';

/** What is known of the guard model; every status output shows it. */
export function guardStatus(): GuardStatus {
  return absentGuard.status;
}
