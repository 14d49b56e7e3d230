import type { Guard } from './guard.ts';

/** The guard of a gate without an engine: visibly without an opinion. */
export const absentGuard: Guard = {
  status: {
    kind: 'absent',
    reason: 'No guard model is installed: rules, provenance, decoys and rates decide alone.',
  },
  score: async () => 'absent',
};
