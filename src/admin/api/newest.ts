import type { AuditRecord } from '../../audit/index.ts';
import type { AuditEventType } from '../../core/index.ts';
import type { AdminRooms } from '../rooms.ts';

/**
 * The newest `limit` records of one type before a sequence number, newest first. The log is read from its
 * beginning, with records of other types passed over unparsed: it has no index, so that it has nothing beside
 * the chain that could lie.
 */
export async function newest(
  audit: Pick<AdminRooms['audit'], 'read'>,
  o: {
    readonly type: AuditEventType;
    readonly tenant: string;
    readonly before: number | null;
    readonly limit: number;
    readonly signal: AbortSignal;
  },
): Promise<{ readonly records: readonly AuditRecord[]; readonly next: number | null }> {
  const window: AuditRecord[] = [];
  let more = false;
  for await (const record of audit.read({ afterSequence: 0, types: [o.type], signal: o.signal })) {
    if (o.before !== null && record.sequence >= o.before) break;
    if (record.event.tenant !== o.tenant) continue;
    window.push(record);
    if (window.length <= o.limit) continue;
    window.shift();
    more = true;
  }
  const records = window.reverse();
  return { records, next: more ? (records.at(-1)?.sequence ?? null) : null };
}
