import { existsSync, readdirSync } from 'node:fs';
import { checkAuditTail, loadCheckpointPublicKey, verifyAuditLog } from '../../../audit/index.ts';
import { type Found, fault, messageOf, note, ok, skipped } from '../finding.ts';
import type { Patient } from '../patient.ts';

const REMEDY =
  'Keep the folder as it is for the investigation, compare it with a checkpoint kept elsewhere (sallyport audit verify --checkpoint), then restore a backup.';

/** The chain: its end since the last checkpoints, or with `deep` every record. */
export async function checkAudit({ config, deep }: Patient): Promise<Found[]> {
  const { audit: directory, keys } = config.paths;
  if (!existsSync(directory) || readdirSync(directory).length === 0) {
    return [skipped('There is no audit log yet; the first start begins it.')];
  }
  try {
    const publicKey = await loadCheckpointPublicKey(keys);
    return deep ? await whole(directory, publicKey) : await tail(directory, publicKey);
  } catch (cause) {
    return [fault(messageOf(cause), REMEDY)];
  }
}

type PublicKey = Awaited<ReturnType<typeof loadCheckpointPublicKey>>;

async function tail(directory: string, publicKey: PublicKey): Promise<Found[]> {
  const { records, checkedFrom, checkpoints } = await checkAuditTail({ directory, publicKey });
  return [
    ok(
      `The audit log ends whole: records ${checkedFrom} to ${records} and ${checkpoints} checkpoints agree.`,
    ),
    ...(checkedFrom > 1
      ? [note('Earlier records were checked by their links alone.', 'Check all: sallyport doctor --deep')]
      : []),
  ];
}

async function whole(directory: string, publicKey: PublicKey): Promise<Found[]> {
  const report = await verifyAuditLog({ directory, ...(publicKey === null ? {} : { publicKey }) });
  const { firstBroken, records, checkpointsVerified } = report;
  if (firstBroken === null) {
    return [
      ok(`The audit log is intact: ${records} records, ${checkpointsVerified} signed checkpoints agree.`),
    ];
  }
  const { file, line, sequence, reason } = firstBroken;
  const place = `${file}${line === null ? '' : `:${line}`}`;
  return [fault(`The audit log is broken at record ${sequence} (${place}): ${reason}.`, REMEDY)];
}
