import type { Guard } from './guard.ts';

/** The guard of a gate without an engine: visibly without an opinion. */
export const absentGuard: Guard = absentBecause(
  'No guard model is installed: rules, provenance, decoys and rates decide alone.',
);

/** A guard that is not there, and says why. */
export function absentBecause(reason: string): Guard {
  return { status: { kind: 'absent', reason }, score: async () => 'absent' };
}
