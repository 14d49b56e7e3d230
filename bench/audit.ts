import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { loadOrCreateCheckpointKey, openAuditLog } from '../src/audit/index.ts';
import { type AuditEvent, systemClock } from '../src/core/index.ts';
import { readOptions } from './lib/options.ts';
import { type Row, report } from './lib/report.ts';
import { median, quantile, rounded } from './lib/statistics.ts';
import { loadPeer } from './peers/load-peer.ts';

/** What a record costs, beside a table of SQLite and a plain log; in turn, medians of the rounds. */
const WRITERS = [1, 16, 64] as const;
const MODES = ['process', 'power'] as const;

interface Log {
  append(event: AuditEvent): Promise<unknown>;
  close(): Promise<void>;
}

interface Subject {
  readonly name: string;
  readonly note: string;
  open(folder: string, mode: (typeof MODES)[number]): Promise<Log>;
}

const SUBJECTS: readonly Subject[] = [
  {
    name: 'sallyport',
    note: 'canonical JSON, hash chain, Merkle tree and signed checkpoints; fdatasync for each group under power',
    open: async (folder, durability) => {
      const checkpointKey = await loadOrCreateCheckpointKey(join(folder, 'keys'));
      return openAuditLog({
        directory: join(folder, 'audit'),
        durability,
        node: 'bench',
        clock: systemClock,
        checkpointKey,
      });
    },
  },
  {
    name: 'sqlite-wal',
    note: 'one insert a transaction; synchronous FULL under power, NORMAL under process; no chain, no tree',
    open: async (folder, mode) => {
      const database = new DatabaseSync(join(folder, 'log.db'));
      database.exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=${mode === 'power' ? 'FULL' : 'NORMAL'}`);
      database.exec('CREATE TABLE log (sequence INTEGER PRIMARY KEY, event TEXT NOT NULL)');
      const insert = database.prepare('INSERT INTO log (event) VALUES (?)');
      return {
        append: async (event) => insert.run(JSON.stringify(event)),
        close: async () => database.close(),
      };
    },
  },
  {
    name: 'pino',
    note: 'synchronous destination, fsync for each line under power; no chain, no tree, no receipt',
    open: async (folder, mode) => {
      const { default: pino } = await loadPeer<{ default: Pino }>('pino');
      const file = pino.destination({ dest: join(folder, 'log.jsonl'), sync: true, fsync: mode === 'power' });
      const logger = pino({}, file);
      return { append: async (event) => logger.info(event), close: async () => file.end() };
    },
  },
];

interface Pino {
  (options: object, file: unknown): { info(value: object): void };
  destination(o: object): { end(): void };
}

const options = readOptions({ rounds: 5, seconds: 1 });
const figures = new Map<string, { rate: number; p99Ms: number }[]>();
for (let round = 0; round < options.rounds; round++) {
  for (const writers of WRITERS) {
    for (const mode of MODES) {
      for (const subject of SUBJECTS) {
        const key = `${subject.name} ${mode} ${writers}`;
        figures.set(key, [...(figures.get(key) ?? []), await measure(subject, mode, writers)]);
      }
    }
  }
}
const rows = SUBJECTS.flatMap(({ name, note }) =>
  MODES.flatMap((mode) =>
    WRITERS.map((writers): Row => {
      const all = figures.get(`${name} ${mode} ${writers}`) ?? [];
      return {
        ...{ name, mode, writers },
        appendsPerSecond: Math.round(median(all.map(({ rate }) => rate))),
        p99Ms: rounded(median(all.map(({ p99Ms }) => p99Ms)), 3),
        ...(writers === 1 && mode === 'process' ? { note } : {}),
      };
    }),
  ),
);
report('audit', rows, { json: options.json });

async function measure({ open }: Subject, mode: (typeof MODES)[number], writers: number) {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-audit-'));
  const log = await open(folder, mode);
  try {
    await write(log, writers, 200);
    const latencies = await write(log, writers, options.seconds * 1000);
    latencies.sort((a, b) => a - b);
    return { rate: latencies.length / options.seconds, p99Ms: quantile(latencies, 0.99) };
  } finally {
    await log.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function write(log: Log, writers: number, forMs: number): Promise<number[]> {
  const latencies: number[] = [];
  const until = performance.now() + forMs;
  const writer = async () => {
    for (let began = performance.now(); began < until; began = performance.now()) {
      await log.append(sampleEvent());
      latencies.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: writers }, writer));
  return latencies;
}

/** A permitted call, as the gateway records it. */
function sampleEvent(): AuditEvent {
  return {
    type: 'call.permitted',
    tenant: 'default',
    at: Date.now(),
    data: {
      call: {
        ...{ id: randomUUID(), door: 'intercept', action: 'http.call', resource: 'github' },
        ...{
          target: 'GET https://api.github.example/repos/acme/site/issues',
          bodyInspected: false,
          bodyDigest: null,
        },
      },
      actor: null as never,
      ...{ effect: 'allow', policies: ['scopes.cedar#read'], policyGeneration: 1, score: 0, findings: [] },
      ...{ credential: { name: 'github-key', version: 3 }, approvalId: null },
    },
  };
}
