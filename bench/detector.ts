import { join } from 'node:path';
import type { Subject, ToolCall } from '../src/core/index.ts';
import { type Detector, openDetector } from '../src/detector/index.ts';
import type { OpenGuard } from '../src/guard/index.ts';
import { openShippedGuard } from './detector/guard.ts';
import { eightHundredRules, ruleTimes } from './detector/rules.ts';
import { rulesAndSamples, type Sample } from './detector/samples.ts';
import { readOptions } from './lib/options.ts';
import { type Row, report } from './lib/report.ts';
import { quantile, rounded } from './lib/statistics.ts';

/**
 * What the detector costs a call: the product's own detector, with its own rules, on made-up sessions of the size that
 * recorded ones have; and with the guard model that comes with the program, in its own process, on results of 128 tokens.
 */
const CALLS = 200;
const RESULT_CHARS = 4_500;
const SESSIONS = 10_000;
const EVENTS_OF_MANY = 3;
/** Sessions before anything is measured: a service runs for days, and is compiled after its first thousand calls. */
const WARM_SESSIONS = 5;
/** Characters that are 128 tokens of the guard model, with what stands around them. */
const GUARD_CHARS = 450;
const GUARD_RESULTS = 400;

const options = readOptions({ rounds: 5, seconds: 1 });
const { rulesDirectory, sample } = rulesAndSamples(join(import.meta.dirname, '..'));

interface Times {
  readonly calls: number[];
  readonly results: number[];
}

async function main(): Promise<void> {
  const rows: Row[] = [];
  for (let number = 0; number < WARM_SESSIONS; number += 1) {
    const detector = await open();
    await session(detector, `warm-${number}`, { calls: [], results: [] });
    await detector.close();
  }
  const times: Times = { calls: [], results: [] };
  const before = process.cpuUsage();
  for (let round = 0; round < options.rounds; round += 1) {
    const detector = await open();
    await session(detector, `round-${round}`, times);
    await detector.close();
  }
  // What the processor worked, opening included: the clock also counts what other programs of the machine do.
  const { user, system } = process.cpuUsage(before);
  const events = [...times.calls, ...times.results];
  const cpuMeanMs = rounded((user + system) / 1000 / events.length, 3);
  // Every round does the same: the best time of each event is its own, and not another program's.
  const best = [...leastOfRounds(times.calls), ...leastOfRounds(times.results)];
  const bestP99Ms = rounded(
    quantile(
      best.toSorted((a, b) => a - b),
      0.99,
    ),
    3,
  );
  rows.push({
    ...rowOf('no-model-4500B-200calls', events, 'each call and each result'),
    bestP99Ms,
    cpuMeanMs,
  });
  rows.push(rowOf('no-model-call', times.calls, 'the calls of those alone'));
  rows.push(rowOf('no-model-result', times.results, 'the results of those alone'));
  rows.push(await rulesOnly());
  rows.push(await manySessions());
  rows.push(await withModel());
  report('detector', rows, {
    json: options.json,
    notes: [
      `${CALLS} calls a session, results of ${RESULT_CHARS} characters, ${options.rounds} rounds, one process.`,
    ],
  });
}

async function session(detector: Detector, sid: string, times: Times): Promise<void> {
  const subject = subjectOf(sid);
  await instruct(detector, subject);
  for (let number = 0; number < CALLS; number += 1) {
    const one = sample(number, RESULT_CHARS);
    times.calls.push(await timed(() => inspect(detector, subject, one)));
    times.results.push(await timed(() => read(detector, subject, one)));
  }
}

function leastOfRounds(times: readonly number[]): readonly number[] {
  return Array.from({ length: CALLS }, (_, event) =>
    Math.min(...times.filter((_time, at) => at % CALLS === event)),
  );
}

async function rulesOnly(): Promise<Row> {
  const set = await eightHundredRules(rulesDirectory);
  const samples = Array.from({ length: 2000 }, (_, number) => sample(number, 0));
  ruleTimes(set, samples);
  return rowOf('rules-only', ruleTimes(set, samples), `${set.size} rules, calls alone`);
}

async function manySessions(): Promise<Row> {
  const detector = await open();
  const before = heapBytes();
  const calls: number[] = [];
  for (let turn = 0; turn < EVENTS_OF_MANY; turn += 1) {
    for (let number = 0; number < SESSIONS; number += 1) {
      const subject = subjectOf(`many-${number}`);
      const one = sample(number * EVENTS_OF_MANY + turn, 400);
      if (turn === 0) await instruct(detector, subject);
      calls.push(await timed(() => inspect(detector, subject, one)));
      await read(detector, subject, one);
    }
  }
  const bytesPerSession = before === null ? null : Math.round(((heapBytes() ?? 0) - before) / SESSIONS);
  const counted = Math.round(detector.remembered / SESSIONS);
  await detector.close();
  return {
    ...rowOf('sessions-10000', calls, `${EVENTS_OF_MANY} calls and results of 400 characters each`),
    bytesPerSession,
    countedPerSession: counted,
  };
}

/** From reading a result to its verdict, the way to the guard's process and back included; none is read twice. */
async function withModel(): Promise<Row> {
  const name = 'with-model-128tok';
  const opened = await openShippedGuard();
  if ('missing' in opened) return { case: name, skipped: opened.missing };
  const { guard, close } = opened;
  try {
    const detector = await open(guard);
    const subject = subjectOf('with-model');
    const times: number[] = [];
    let before = await guard.stats();
    for (let number = -GUARD_RESULTS / 4; number < GUARD_RESULTS; number += 1) {
      if (number === 0) before = await guard.stats();
      const one = sample(GUARD_RESULTS + number, GUARD_CHARS);
      const milliseconds = await timed(() => read(detector, subject, one));
      if (number >= 0) times.push(milliseconds);
    }
    const after = await guard.stats();
    await detector.close();
    const count = (key: string) => (after?.[key] ?? 0) - (before?.[key] ?? 0);
    const note = `${rounded(count('tokens') / count('completed'), 0)} tokens a text, ${rounded(count('completed') / times.length, 1)} texts a result`;
    return rowOf(name, times, note);
  } finally {
    await close();
  }
}

/** Null without `--expose-gc`: garbage would be counted, too. */
function heapBytes(): number | null {
  if (globalThis.gc === undefined) return null;
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

function rowOf(name: string, values: readonly number[], note: string): Row {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => rounded(quantile(sorted, share), 3);
  return { case: name, p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99), note };
}

function inspect(detector: Detector, subject: Subject, { callId, tool, args }: Sample): Promise<unknown> {
  const call: ToolCall = {
    kind: 'tool',
    id: `call_${callId}`,
    tenant: 'bench',
    door: 'decide',
    receivedAt: 0,
    tool,
    args,
    hostSessionId: subject.sid,
    hostCallId: callId,
  };
  return detector.inspect({ subject, call, now: Date.now(), deadlineMs: 10_000 });
}

function read(detector: Detector, subject: Subject, { callId, tool, text }: Sample): Promise<unknown> {
  return detector.observe({ subject, phase: 'result', callId, tool, text, now: Date.now() });
}

function instruct(detector: Detector, subject: Subject): Promise<unknown> {
  const text = 'Go through my new mails, answer those about the report, and file the invoices.';
  return detector.observe({ subject, phase: 'instruction', callId: '', tool: '', text, now: Date.now() });
}

function subjectOf(sid: string): Subject {
  return { tenant: 'bench', agentId: 'agent', owner: 'owner', user: null, sid, chain: [] };
}

function open(guard?: OpenGuard): Promise<Detector> {
  return openDetector({
    ...(guard === undefined ? {} : { guard }),
    decoyStore: {
      insert: async () => false,
      all: async () => [],
      mark: async () => '',
      deleteOlderThan: async () => 0,
      list: async () => [],
      delete: async () => false,
    },
    baselineStore: {
      destinations: async () => new Map(),
      addDestination: async () => undefined,
      habits: async () => null,
      putHabits: async () => undefined,
    },
    riskStore: { since: async () => [], put: async () => undefined, deleteOlderThan: async () => 0 },
    rulesDirectory,
    profile: 'balanced',
    onLate: 'deny',
    rate: { burst: 1e9, perSecond: 1e9 },
    clock: { now: () => Date.now() },
    audit: async () => undefined,
  });
}

await main();
