import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { VerifyReport } from '../../audit/index.ts';
import { defineCommand } from '../command.ts';
import { EXIT, stateFault } from '../fault.ts';

export const auditVerify = defineCommand({
  name: 'audit verify',
  summary: 'Check the audit log offline: chain, tree and checkpoints; exit code 1 when it is broken.',
  options: {
    directory: {
      type: 'string',
      value: 'DIR',
      help: 'Folder of the log; default: the one of this installation.',
    },
    checkpoint: {
      type: 'string',
      value: 'FILE',
      help: 'Signed note that was kept elsewhere: proves tail cuts.',
    },
    'public-key': {
      type: 'string',
      value: 'FILE',
      help: 'PEM of the key that signs checkpoints; default: ours.',
    },
  },
  examples: [
    'sallyport audit verify',
    'sallyport audit verify --checkpoint /mnt/elsewhere/checkpoint.txt',
    'sallyport audit verify --directory copy/audit --public-key audit.pem',
  ],
  async run({ output, values, state }) {
    const { verifyAuditLog } = await import('../../audit/index.ts');
    const directory = values.directory ?? state.config.paths.audit;
    const publicKey = await publicKeyOf(
      values['public-key'],
      values.directory,
      () => state.config.paths.keys,
    );
    const report = await verifyAuditLog({
      directory,
      ...(publicKey === null ? {} : { publicKey }),
      ...(values.checkpoint === undefined ? {} : { checkpoint: read(values.checkpoint) }),
    });
    output.result(report, sentenceOf(report));
    if (report.ok && !report.hadExternalCheckpoint) {
      output.note(
        'Without a checkpoint that was kept elsewhere, a cut of the last records can not be seen (--checkpoint).',
      );
    }
    if (!report.hadPublicKey) output.note('Who signed the checkpoints was not checked (--public-key).');
    return report.ok ? EXIT.ok : EXIT.refused;
  },
});

/** A log from elsewhere is not signed by our key: without one, signatures are left unchecked and it is said. */
async function publicKeyOf(
  file: string | undefined,
  directory: string | undefined,
  keys: () => string,
): Promise<KeyObject | null> {
  if (file !== undefined) return createPublicKey(read(file));
  if (directory !== undefined) return null;
  const { loadCheckpointPublicKey } = await import('../../audit/index.ts');
  return loadCheckpointPublicKey(keys());
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw stateFault(`${file} can not be read.`, undefined, cause);
  }
}

function sentenceOf({ ok, records, checkpointsVerified, firstBroken }: VerifyReport): string {
  if (ok) return `Intact: ${records} records, ${checkpointsVerified} signed checkpoints agree.`;
  if (firstBroken === null) return 'Broken.';
  const { sequence, file, line, reason } = firstBroken;
  return `Broken at record ${sequence} (${file}${line === null ? '' : `:${line}`}): ${reason}.`;
}
