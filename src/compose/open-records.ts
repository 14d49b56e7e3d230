import { loadOrCreateCheckpointKey, openAuditLog } from '../audit/index.ts';
import type { Logger } from './log.ts';
import { type Records, TENANT, type Wiring } from './service.ts';
import { logEvents, tapped } from './watch/index.ts';

/** The audit log, with the taps of metrics and the service's own log on the way into it. */
export async function openRecords(
  { config, clock, stack }: Wiring,
  logger: Logger | null | undefined,
): Promise<Records> {
  const { paths } = config;
  const log = await openAuditLog({
    directory: paths.audit,
    durability: config.audit.durability,
    segmentBytes: config.audit.segmentBytes,
    node: config.node.name,
    checkpointKey: await loadOrCreateCheckpointKey(paths.keys, paths.audit),
    clock,
    tenant: TENANT,
  });
  stack.defer(() => log.close());
  const tell = logger == null ? () => {} : logEvents(logger, { calls: config.log.calls });
  const records: Records = {
    log,
    audit: tapped((event) => log.append(event), { meters: () => records.meters, tell }),
    meters: null,
  };
  return records;
}
