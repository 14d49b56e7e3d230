import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { loadAddon } from '../src/guard/engine/addon.ts';
import { findAddon } from '../src/guard/engine/addon-file.ts';
import { GuardEngine } from '../src/guard/engine/engine.ts';
import { buildGuardTest } from '../test/support/guard-test.ts';
import { printTable, type Row } from './lib/report.ts';

/**
 * `npm run guard-leak -- [COUNT]`: so many scorings through the C interface and so many through the binding, with
 * prefixes that come and go, cancelled and late requests; and what memory is in use after a tenth of them and at the
 * end. Exit status 1 where it has grown by more than a few bytes for each scoring.
 */
const COUNT = Number(process.argv[2] ?? 100_000);
const AT_ONCE = 8;
/** Growth that is none: of 90,000 scorings, a leak of one pointer each would be 720,000 bytes. */
const NOISE_BYTES = 256 * 1024;
/** Node's own pages come and go; the heap of the engine is in it. */
const NODE_NOISE_BYTES = 24 * 1024 * 1024;

interface Native {
  readonly scorings: number;
  readonly ok: number;
  readonly notOk: number;
  readonly allocatedAfterTenth: number;
  readonly allocatedAtEnd: number;
  readonly residentAfterTenth: number;
  readonly residentAtEnd: number;
  readonly prefixesAtEnd: number;
  readonly kvBytesAtEnd: number;
}

const rows: Row[] = [throughC(), await throughBinding()];
printTable(rows);
process.exitCode = rows.some((row) => row.verdict !== 'flat') ? 1 : 0;

function throughC(): Row {
  const built = buildGuardTest();
  if ('missing' in built) throw new Error(built.missing);
  const told = JSON.parse(
    execFileSync(built.program, ['leak', String(COUNT)], { encoding: 'utf8' }),
  ) as Native;
  const grown = told.allocatedAtEnd - told.allocatedAfterTenth;
  return {
    through: 'C interface',
    scorings: told.scorings,
    ok: told.ok,
    cancelledOrLate: told.notOk,
    allocatedGrownBytes: grown,
    residentGrownKiB: Math.round((told.residentAtEnd - told.residentAfterTenth) / 1024),
    prefixesLeft: told.prefixesAtEnd,
    kvBytesLeft: told.kvBytesAtEnd,
    verdict: grown < NOISE_BYTES && told.prefixesAtEnd === 0 && told.kvBytesAtEnd === 0 ? 'flat' : 'GROWN',
  };
}

async function throughBinding(): Promise<Row> {
  const model = join(import.meta.dirname, '../native/test/golden/llama-q4_0.gguf');
  await using engine = await GuardEngine.open({ addon: loadAddon(findAddon().addon), model, threads: 1 });
  let ok = 0;
  let notOk = 0;
  const use = () => {
    global.gc?.();
    const { rss, heapUsed, external } = process.memoryUsage();
    return { rss, own: heapUsed + external };
  };
  let early = use();
  const rounds = Math.floor(COUNT / AT_ONCE);
  for (let round = 0; round < rounds; round++) {
    if (round === Math.floor(rounds / 10)) early = use();
    const prefix = round % 4 === 0 ? await engine.prefix(`in the on ${round % 100}`) : null;
    const stop = new AbortController();
    const all = Array.from({ length: AT_ONCE }, (_, at) =>
      engine.score({
        text: `the ${round * AT_ONCE + at} in the`,
        labels: [3, 77],
        ...(at === 1 && prefix !== null ? { prefix } : {}),
        ...(at === 3 && round % 8 === 1 ? { deadlineMs: 1 } : {}),
        ...(at === 4 && round % 8 === 2 ? { signal: stop.signal } : {}),
      }),
    );
    stop.abort();
    for (const one of await Promise.allSettled(all)) {
      if (one.status === 'fulfilled') ok += 1;
      else notOk += 1;
    }
    prefix?.release();
  }
  const late = use();
  const { prefixes, kvBytes } = engine.stats();
  const grown = late.own - early.own;
  const resident = late.rss - early.rss;
  return {
    through: 'binding',
    scorings: rounds * AT_ONCE,
    ok,
    cancelledOrLate: notOk,
    allocatedGrownBytes: grown,
    residentGrownKiB: Math.round(resident / 1024),
    prefixesLeft: prefixes,
    kvBytesLeft: kvBytes,
    verdict:
      grown < NODE_NOISE_BYTES && resident < NODE_NOISE_BYTES && prefixes === 0 && kvBytes === 0
        ? 'flat'
        : 'GROWN',
  };
}
