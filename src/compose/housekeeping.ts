import type { Clock } from '../core/index.ts';
import type { Storage } from '../storage/index.ts';

const EVERY_MS = 10 * 60 * 1000;
/** Decided and expired approvals stay listed for a day, risks for a week, decoys of one session for a month. */
const APPROVALS_KEPT_MS = 24 * 60 * 60 * 1000;
const RISKS_KEPT_MS = 7 * 24 * 60 * 60 * 1000;
const SESSION_DECOYS_KEPT_MS = 30 * 24 * 60 * 60 * 1000;

/** Forgets what has run out, now and then; returns the way to stop. */
export function startHousekeeping(o: {
  readonly storage: Pick<Storage, 'approvals' | 'risks' | 'idempotency' | 'decoys'>;
  readonly clock: Clock;
  readonly onFault: (fault: unknown) => void;
}): () => void {
  const sweep = async (): Promise<void> => {
    const now = o.clock.now();
    await o.storage.approvals.deleteExpired(now - APPROVALS_KEPT_MS);
    await o.storage.idempotency.deleteExpired(now);
    await o.storage.risks.deleteOlderThan(now - RISKS_KEPT_MS);
    await o.storage.decoys.deleteOlderThan(now - SESSION_DECOYS_KEPT_MS);
  };
  const timer = setInterval(() => void sweep().catch(o.onFault), EVERY_MS).unref();
  return () => clearInterval(timer);
}
