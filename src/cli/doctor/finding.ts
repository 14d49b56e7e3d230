/**
 * `fault`: does not work, or is not safe. `warning`: works, and will bite. `note`: worth knowing. `skipped`: could
 * not be looked at, and why.
 */
export type Level = 'ok' | 'note' | 'warning' | 'fault' | 'skipped';

export interface Finding {
  /** Name of the check that found it. */
  readonly check: string;
  readonly level: Level;
  /** One sentence. */
  readonly what: string;
  /** What mends it; null where there is nothing to do. */
  readonly remedy: string | null;
}

/** What a check gives; the table adds its name. */
export type Found = Omit<Finding, 'check'>;

export const ok = (what: string): Found => ({ level: 'ok', what, remedy: null });
export const note = (what: string, remedy: string | null = null): Found => ({ level: 'note', what, remedy });
export const warning = (what: string, remedy: string): Found => ({ level: 'warning', what, remedy });
export const fault = (what: string, remedy: string): Found => ({ level: 'fault', what, remedy });
export const skipped = (what: string): Found => ({ level: 'skipped', what, remedy: null });

/** A sentence out of whatever was thrown. */
export function messageOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.endsWith('.') ? text : `${text}.`;
}
