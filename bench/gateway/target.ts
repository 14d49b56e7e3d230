import type { Row } from '../lib/report.ts';
import type { Route } from '../load/connection.ts';
import type { RequestSpec } from '../load/requests.ts';

/** One thing that is measured. */
export interface Target {
  /** Members of its row beside the figures. */
  readonly labels: Row;
  readonly scheme: 'http' | 'https';
  readonly route: Route;
  readonly request: RequestSpec;
  /** Processes that do the work, for their memory. */
  readonly pids: readonly number[];
}

/** A peer that can't be measured here. */
export interface Absent {
  readonly labels: Row;
  readonly skipped: string;
}
