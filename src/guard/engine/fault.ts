/** Why the engine did not do what was asked; the names of guard_status in native/include/guard.h. */
export const GUARD_FAULT_CODES = [
  'bad_argument',
  'not_found',
  'pin_mismatch',
  'model_rejected',
  'no_memory',
  'io',
  'too_long',
  'overloaded',
  'deadline',
  'cancelled',
  'closed',
  'not_finite',
  'unsupported',
  /** The addon itself: not built, foreign, stale or changed. */
  'addon_unusable',
] as const;

export type GuardFaultCode = (typeof GUARD_FAULT_CODES)[number];

/** A typed refusal of the engine: its code, and a sentence that says what happened. */
export class GuardFault extends Error {
  readonly code: GuardFaultCode;

  constructor(code: GuardFaultCode, sentence: string, cause?: unknown) {
    super(sentence, cause === undefined ? undefined : { cause });
    this.name = 'GuardFault';
    this.code = code;
  }
}

/** What the addon threw, typed; mistakes of the caller (TypeError) stay what they are. */
export function asGuardFault(thrown: unknown): unknown {
  if (!(thrown instanceof Error) || !('code' in thrown)) return thrown;
  const code = GUARD_FAULT_CODES.find((one) => one === thrown.code);
  return code === undefined ? thrown : new GuardFault(code, thrown.message, thrown);
}
