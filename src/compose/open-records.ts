import { loadOrCreateCheckpointKey, openAuditLog, StrangerRecords } from '../audit/index.ts';
import type { Logger } from './log.ts';
import { type Records, TENANT, type Wiring } from './service.ts';
import { logEvents, tapped } from './watch/index.ts';

/** The audit log, with the taps of metrics and the service's own log on the way into it. */
export async function openRecords(
  { config, clock, onFault, stack }: Wiring,
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
  const audit = tapped((event) => log.append(event), { meters: () => records.meters, tell });
  const strangers = new StrangerRecords({ append: audit, clock, tenant: TENANT, onFault });
  stack.defer(() => strangers.flush());
  const records: Records = { log, audit, strangers, meters: null };
  return records;
}
