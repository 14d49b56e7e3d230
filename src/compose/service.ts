import type { FirstAdministrator } from '../admin/index.ts';
import type { AuditLog, StrangerRecords } from '../audit/index.ts';
import type { Config } from '../config/index.ts';
import type { Clock, SecretBytes } from '../core/index.ts';
import type { GuardStatus } from '../guard/index.ts';
import type { Logger } from './log.ts';
import type { Meters } from './watch/index.ts';

export const TENANT = 'default';

export interface StartOptions {
  readonly config: Config;
  /** True when a person stands before standard output: the first admin token is shown there, once. */
  readonly isTerminal: boolean;
  /** The passphrase of the vault, where its seal is one. */
  readonly passphrase?: SecretBytes | null;
  readonly clock?: Clock;
  /** Null: nothing is logged. */
  readonly logger?: Logger | null;
  /** Told of faults that no caller waits for. */
  readonly onFault: (fault: unknown) => void;
}

/** A service that runs. */
export interface RunningService {
  readonly version: string;
  readonly controlUrl: string;
  readonly gatewayUrl: string;
  readonly first: boolean;
  /** True while no service is registered: whoever started it may want to know how to begin. */
  readonly unused: boolean;
  readonly administrator: FirstAdministrator;
  guard(): GuardStatus;
  /** What the first start wrote into the settings because no guard engine can be had here; else null. */
  readonly guardNote: string | null;
  /** Reads certificates and policies again; what is broken stays out of force and is recorded. */
  reload(): Promise<void>;
  /** Takes no more calls, lets those in flight end, cuts the rest, and writes down what must be. */
  stop(reason: string): Promise<{ readonly callsCut: number }>;
}

/** What every step of the start is given. */
export interface Wiring {
  readonly config: Config;
  readonly clock: Clock;
  readonly onFault: (fault: unknown) => void;
  /** What is opened is closed again in the opposite order. */
  readonly stack: AsyncDisposableStack;
}

/** The log, and the one way into it. */
export interface Records {
  readonly log: AuditLog;
  readonly audit: AuditLog['append'];
  readonly strangers: StrangerRecords;
  /** Null until there is somebody who fetches them. */
  meters: Meters | null;
}
