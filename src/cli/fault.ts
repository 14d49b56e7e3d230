/** Exit codes of `sallyport`; part of its interface. `sallyport run` ends with the code of its command instead. */
export const EXIT = {
  ok: 0,
  /** The gate, the service or a check said no. */
  refused: 1,
  /** The command line can't be read. */
  usage: 2,
  /** The service can't be reached. */
  unreachable: 3,
  /** A file of this machine is missing, broken, or readable by others. */
  state: 4,
  /** What was waited for has not happened yet. */
  pending: 5,
  /** A fault of Sallyport itself. */
  internal: 70,
  /** `sallyport run`: the command was found, and can't be executed. */
  commandNotExecutable: 126,
  /** `sallyport run`: there is no such command. */
  commandNotFound: 127,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** One thing that is wrong with the input, as the admin API names it. */
export interface FaultDetail {
  readonly in: string;
  readonly pointer: string;
  readonly detail: string;
}

/** Why a command could not do its work: a stable code, what happened, and what to do. */
export class CliFault extends Error {
  readonly exitCode: ExitCode;
  readonly code: string;
  readonly remedy: string | null;
  readonly details: readonly FaultDetail[];

  constructor(
    exitCode: ExitCode,
    code: string,
    message: string,
    o: { readonly remedy?: string; readonly details?: readonly FaultDetail[]; readonly cause?: unknown } = {},
  ) {
    super(message, o.cause === undefined ? undefined : { cause: o.cause });
    this.name = 'CliFault';
    this.exitCode = exitCode;
    this.code = code;
    this.remedy = o.remedy ?? null;
    this.details = o.details ?? [];
  }
}

export function usageFault(message: string, remedy?: string): CliFault {
  return new CliFault(EXIT.usage, 'usage', message, remedy === undefined ? {} : { remedy });
}

export function stateFault(message: string, remedy?: string, cause?: unknown): CliFault {
  return new CliFault(EXIT.state, 'state', message, {
    ...(remedy === undefined ? {} : { remedy }),
    ...(cause === undefined ? {} : { cause }),
  });
}
