import type { Config } from '../../config/index.ts';
import type { Inventory } from './inventory.ts';
import type { ServiceState } from './service-state.ts';

/** The installation as the checks see it. Nothing here is changed by looking. */
export interface Patient {
  /** Folder of the program: the clone, or the package. */
  readonly programRoot: string;
  readonly config: Config;
  /** The service at the configured address. */
  readonly service: ServiceState;
  /** What it keeps; a sentence where it can't be read. */
  readonly inventory: Inventory | string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Whether everything is read, however long it takes. */
  readonly deep: boolean;
  /** User id of this process; null where the system has none. */
  readonly uid: number | null;
}
