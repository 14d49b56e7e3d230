import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { readAuditDirectory } from '../src/audit/index.ts';
import { printTable, type Row } from './lib/report.ts';
import { median, rounded } from './lib/statistics.ts';
import { BenchService } from './sallyport/service.ts';
import { type SoakCounts, soakLoad } from './soak/load.ts';
import { openSoakUpstream } from './soak/upstream.ts';

/** Mixed load for a while; ends with 1 when memory grows, a descriptor stays open, or a record is missing. */
const INTERVALS = 20;
const SETTLE_MS = 45_000;
const MIB = 1024 * 1024;
/** What collectors and allocators keep for themselves goes up and down by about so much. */
const TOLERATED_MIB = { heap: 12, external: 16, rss: 64 } as const;
const TOLERATED_DESCRIPTORS = 4;

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } });
const minutes = Number(values.minutes);
if (!(minutes > 0)) {
  console.error('soak: --minutes must be a number above 0');
  process.exit(2);
}

const upstream = await openSoakUpstream();
const service = await BenchService.start({ audit: 'process', probe: true });
const rows: Row[] = [];
const seen = new Set<string>();
const counts: SoakCounts = { calls: 0, refused: 0, changes: 0, faults: [] };
const complaints: string[] = [];
const auditFolder = join(service.home, 'data', 'audit');
/** What the log says. */
const log = { sequence: 0, refused: 0, permitted: new Map<string, string>(), completed: new Set<string>() };
try {
  const agents = await prepare();
  const idleBefore = descriptors();
  const stop = new AbortController();
  const load = soakLoad(service, agents, stop.signal, counts);
  const began = Date.now();
  for (let interval = 1; interval <= INTERVALS; interval++) {
    await pause(began + (interval * minutes * 60_000) / INTERVALS - Date.now());
    for (const path of upstream.takeSeen()) seen.add(path);
    await readRecords();
    const { rss, heapUsed, external } = await service.memory();
    const row = {
      seconds: Math.round((Date.now() - began) / 1000),
      calls: counts.calls,
      refused: counts.refused,
      changes: counts.changes,
      acknowledged: counts.calls + counts.refused,
      permittedOnRecord: log.permitted.size,
      records: log.sequence,
      heapMiB: rounded(heapUsed / MIB, 1),
      externalMiB: rounded(external / MIB, 1),
      rssMiB: Math.round(rss / MIB),
      descriptors: descriptors(),
      faults: counts.faults.length,
    };
    rows.push(row);
    process.stderr.write(`${JSON.stringify(row)}\n`);
  }
  stop.abort();
  await load;
  await pause(SETTLE_MS);
  const left = descriptors();
  for (const path of upstream.takeSeen()) seen.add(path);
  await service.end();
  await readRecords();
  printTable(rows);
  console.log(`descriptors: ${idleBefore} before the load, ${left} after it`);
  if (left > idleBefore + TOLERATED_DESCRIPTORS)
    complaints.push(`${left - idleBefore} descriptors stayed open`);
  complaints.push(...growth('heapMiB', TOLERATED_MIB.heap), ...growth('externalMiB', TOLERATED_MIB.external));
  complaints.push(...growth('rssMiB', TOLERATED_MIB.rss), ...missingRecords());
  for (const [fault, same] of Map.groupBy(counts.faults, (one) => one))
    complaints.push(`${same.length} times: ${fault}`);
} finally {
  await service.stop();
  upstream.close();
}
for (const complaint of complaints) console.log(`soak: ${complaint}`);
console.log(complaints.length === 0 ? 'soak: nothing leaked, nothing lost' : 'soak: failed');
process.exitCode = complaints.length === 0 ? 0 : 1;

async function prepare() {
  const place = { allowPrivate: true, origins: [`http://127.0.0.1:${upstream.port}`] };
  await service.admin('PUT', '/services/up', { ...place, credential: 'up-key' });
  await service.admin('PUT', '/services/aside', {
    allowPrivate: true,
    origins: ['http://127.0.0.1:9'],
    credential: 'aside',
  });
  const secret = `fake-${randomBytes(18).toString('base64url')}`;
  await service.admin('PUT', '/credentials/up-key', {
    services: ['up'],
    injector: { kind: 'bearer' },
    secret,
  });
  return Promise.all(
    ['one', 'two', 'three', 'four'].map((name) => service.addAgent(name, ['up:read', 'up:write'])),
  );
}

function descriptors(): number {
  try {
    return readdirSync(`/proc/${service.pid}/fd`).length;
  } catch {
    // Without /proc they can't be counted.
    return 0;
  }
}

/** The last third beside the second one: by then every bounded cache has had time to fill. */
function growth(member: 'heapMiB' | 'externalMiB' | 'rssMiB', tolerated: number): string[] {
  const all = rows.map((row) => Number(row[member]));
  const third = Math.floor(all.length / 3);
  const grown = median(all.slice(-third)) - median(all.slice(third, -third));
  console.log(
    `${member}: ${rounded(grown, 1)} from the second to the last third of the time (${tolerated} tolerated)`,
  );
  return grown > tolerated ? [`${member} grew by ${rounded(grown, 1)}`] : [];
}

/** Reads on in the log from where it was left. */
async function readRecords(): Promise<void> {
  for await (const { event, sequence } of readAuditDirectory(auditFolder, { afterSequence: log.sequence })) {
    log.sequence = sequence;
    if (event.type === 'call.permitted') {
      const { id, target } = event.data.call;
      log.permitted.set(new URL(target.slice(target.indexOf(' ') + 1)).pathname, id);
    }
    if (event.type === 'call.completed') log.completed.add(event.data.callId);
    if (event.type === 'call.refused') log.refused += 1;
    // Of strangers many are told as a number, at the latest when the log is closed.
    if (event.type === 'refusals.counted' && event.data.of === 'call.refused')
      log.refused += event.data.count;
  }
}

/** Each call that the upstream saw must have been permitted on record, and be completed there too. */
function missingRecords(): string[] {
  const unrecorded = [...seen].filter((path) => !log.permitted.has(path));
  const unfinished = [...seen].filter((path) => !log.completed.has(log.permitted.get(path) ?? ''));
  const unrefused = counts.refused - log.refused;
  console.log(
    `records: ${log.sequence}; upstream saw ${seen.size} calls, ${seen.size - unrecorded.length} of them permitted and ` +
      `${seen.size - unfinished.length} completed on record; ${counts.refused} refused, ${log.refused} of them on record`,
  );
  return [
    ...(unrecorded.length > 0 ? [`${unrecorded.length} calls reached the upstream without a record`] : []),
    ...(unfinished.length > 0 ? [`${unfinished.length} calls have no record of their end`] : []),
    ...(unrefused > 0 ? [`${unrefused} refusals have no record`] : []),
  ];
}
