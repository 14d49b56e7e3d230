import type { KeyObject } from 'node:crypto';
import { isSignedBy } from './checkpoint.ts';
import { checkpointFile } from './checkpoint-file.ts';
import { AuditFault } from './fault.ts';
import { lookAtEnd } from './recover.ts';

export interface TailReport {
  readonly node: string | null;
  /** Sequence number of the last record; 0 for an empty log. */
  readonly records: number;
  /** The first record that was checked by itself; those before it were checked by the links between files. */
  readonly checkedFrom: number;
  /** Signed checkpoints over the part that was checked. */
  readonly checkpoints: number;
  /** Bytes of a last line that is not whole: being written now, or left by a crash. */
  readonly unfinishedBytes: number;
  /** When the last record was written, milliseconds since the epoch. */
  readonly newestAt: number | null;
}

/**
 * The quick check: the last file of the log record by record, the others by their links, all of it against the
 * checkpoints that reach there. Changes nothing; a gate may be writing. Throws AuditFault at the first thing that
 * is wrong. `verifyAuditLog` checks everything.
 */
export async function checkAuditTail(o: {
  readonly directory: string;
  readonly publicKey: KeyObject | null;
}): Promise<TailReport> {
  const found = await lookAtEnd(o.directory);
  const { publicKey } = o;
  const unsigned =
    publicKey === null ? undefined : found.checkpoints.find((one) => !isSignedBy(one, publicKey));
  if (unsigned !== undefined) {
    const reason = `the checkpoint over ${unsigned.size} records is not signed by this installation's key`;
    throw new AuditFault(checkpointFile(o.directory), null, reason);
  }
  return {
    node: found.end.node,
    records: found.end.sequence,
    checkedFrom: found.segment?.first ?? 1,
    checkpoints: found.checkpoints.length,
    unfinishedBytes: found.droppedBytes,
    newestAt: found.newest?.event.at ?? null,
  };
}
