/** How scores become decisions. */
export const PROFILES = ['observe', 'balanced', 'strict'] as const;

/** What the verbs that score recorded events have in common. */
export const REPLAY_OPTIONS = {
  out: {
    type: 'string',
    value: 'FILE',
    help: 'Where the scores go, one JSON object a line; default: standard output.',
  },
  rules: {
    type: 'string',
    value: 'DIR',
    help: 'Folder of detection rules; default: the one of this installation.',
  },
  profile: {
    type: 'string',
    value: 'NAME',
    help: `How scores become decisions: ${PROFILES.join(', ')}; default: as configured.`,
  },
  decoys: {
    type: 'string',
    value: 'COUNT',
    help: 'Look for so many decoys that the sessions have never read: what is found is a false alarm.',
  },
  without: {
    type: 'string',
    value: 'PARTS',
    help: 'Leave checks out, to see what they are worth: beginnings of their names, with commas (`rule,flow.leak,guard`).',
  },
} as const;
