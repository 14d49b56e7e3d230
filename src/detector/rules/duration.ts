const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

/** `30s`, `15m`, `2h`, `7d`. */
export const DURATION = /^([1-9][0-9]{0,4})([smhd])$/;

/** Milliseconds of a duration that DURATION has let pass. */
export function milliseconds(text: string): number {
  const [, digits = '0', unit = 's'] = DURATION.exec(text) ?? [];
  return Number(digits) * (UNIT_MS.get(unit) ?? 1000);
}
