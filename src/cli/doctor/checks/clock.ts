import { existsSync } from 'node:fs';
import { checkAuditTail } from '../../../audit/index.ts';
import { type Found, fault, ok } from '../finding.ts';
import type { Patient } from '../patient.ts';

/** No Sallyport is older than this: a machine that thinks so has lost its clock. */
const OLDEST = Date.UTC(2026, 0, 1);
/** What clocks of several machines may differ by. */
const SKEW_MS = 60_000;

/** Passports live for minutes: a clock that jumps makes them all expired, or good for too long. */
export async function checkClock({ config, now }: Pick<Patient, 'config' | 'now'>): Promise<Found[]> {
  const remedy = 'Set the clock, and keep it with NTP (timedatectl set-ntp true).';
  const shown = new Date(now).toISOString();
  if (now < OLDEST)
    return [fault(`The clock says ${shown}, which is before this program was written.`, remedy)];
  const newest = await newestRecord(config.paths.audit);
  if (newest === null || newest <= now + SKEW_MS)
    return [ok(`The clock (${shown}) agrees with the audit log.`)];
  return [
    fault(
      `The clock says ${shown}, and the last record of the audit log was written at ${new Date(newest).toISOString()}: it was set back, or was wrong then.`,
      remedy,
    ),
  ];
}

async function newestRecord(directory: string): Promise<number | null> {
  if (!existsSync(directory)) return null;
  // A log that can't be read is told by the check of the log.
  const report = await checkAuditTail({ directory, publicKey: null }).catch(() => null);
  return report?.newestAt ?? null;
}
