/**
 * What is known of the guard model. This version of the gate has no engine: the guard has no opinion on any
 * call, and every status output says so.
 */
export interface GuardStatus {
  readonly kind: 'absent';
  readonly reason: string;
}

export function guardStatus(): GuardStatus {
  return { kind: 'absent', reason: 'No guard model is installed: rules, decoys and rates decide alone.' };
}
