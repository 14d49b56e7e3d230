import { Child, processorMs } from './lib/child.ts';
import { readOptions } from './lib/options.ts';
import { type Row, report } from './lib/report.ts';
import { median, rounded } from './lib/statistics.ts';
import type { LoadFigures, LoadOrder } from './load/worker.ts';
import { OPERATIONS } from './passport/operations.ts';
import { measureVerification } from './passport/verify.ts';

/** Passports from the gate, with everything on disk, beside oidc-provider in memory; in turn, medians of the rounds. */
const CONNECTIONS = 16;
const WARM_MS = 500;
const RESOURCE = 'https://api.bench.example';

interface Figures extends LoadFigures {
  /** Processor time of the issuer's process for one answer, microseconds. */
  readonly cpuUs?: number;
}

interface Subject {
  readonly name: string;
  readonly storage: string;
  readonly note: string;
  readonly issuer: Child;
  /** What it has no answer to, and why. */
  readonly lacks: Readonly<Record<string, string>>;
}

const options = readOptions({ rounds: 5, seconds: 2 });
const stops: (() => Promise<void>)[] = [];
try {
  const subjects: readonly Subject[] = [
    await ours('power', 'replay and issued passports in SQLite, safe from a power cut; a record of each'),
    await ours('process', 'the same, safe from the end of the process'),
    await bare(),
  ];
  const client = await start('load/worker.ts', null);
  const figures = new Map<string, Figures[]>();
  const verification: Figures[] = [];
  if (options.warmSeconds > 0) {
    for (const subject of subjects) {
      for (const [operation, requestFor] of Object.entries(OPERATIONS)) {
        if (subject.lacks[operation] !== undefined) continue;
        const seconds = options.warmSeconds / Object.keys(OPERATIONS).length;
        await measure(client, subject.issuer, await requestFor(subject.issuer), [], seconds);
      }
    }
  }
  for (let round = 0; round < options.rounds; round++) {
    for (const [operation, requestFor] of Object.entries(OPERATIONS)) {
      for (let at = 0; at < subjects.length; at++) {
        // Another one begins each round: none stands always behind the same neighbour.
        const subject = subjects[(at + round) % subjects.length];
        if (subject === undefined || subject.lacks[operation] !== undefined) continue;
        const key = keyOf(subject, operation);
        const known = figures.get(key) ?? [];
        const { issuer } = subject;
        figures.set(key, [...known, await measure(client, issuer, await requestFor(issuer), known)]);
      }
    }
    verification.push(await measureVerification(options.seconds * 500));
  }
  const rows = Object.keys(OPERATIONS).flatMap((operation) =>
    subjects.map(({ lacks, issuer: _, ...subject }): Row => {
      const { note, ...labels } = { ...subject, operation };
      const skipped = lacks[operation];
      if (skipped !== undefined) return { ...labels, skipped };
      return { ...labels, ...summary(figures.get(keyOf(subject, operation)) ?? []), note };
    }),
  );
  const verify = { operation: 'verify-at-gateway' };
  const note = 'a known passport, a fresh proof; one at a time, in the process';
  report(
    'passport',
    [
      ...rows,
      { name: 'sallyport', storage: 'process', ...verify, ...summary(verification), note },
      { name: 'bare-oidc-provider', ...verify, skipped: 'an issuer alone has no gateway' },
    ],
    { json: options.json },
  );
} finally {
  for (const stop of stops.toReversed()) await stop();
}

async function measure(
  client: Child,
  issuer: Child,
  request: LoadOrder['request'],
  known: readonly Figures[],
  measured = options.seconds,
): Promise<Figures> {
  if (request.kind !== 'token') throw new TypeError('an issuer answers token requests');
  const { hostname, port } = new URL(request.agent.issuer);
  if (hostname !== '127.0.0.1') throw new Error('the issuer is not on this machine');
  const seconds = (WARM_MS + measured * 1000) / 1000;
  const before = processorMs(issuer.pid) ?? 0;
  const result = await client.ask<LoadFigures>({
    route: { port: Number(port), tunnel: null, tls: null },
    request,
    connections: CONNECTIONS,
    warmMs: WARM_MS,
    measureMs: measured * 1000,
    expected: Math.ceil((known.at(-1)?.rps ?? 500) * seconds * 1.3),
  } satisfies LoadOrder);
  return { ...result, cpuUs: (((processorMs(issuer.pid) ?? 0) - before) * 1000) / result.answered };
}

function summary(figures: readonly Figures[]): Row {
  const processor = figures.flatMap(({ cpuUs }) => cpuUs ?? []);
  return {
    rps: Math.round(median(figures.map(({ rps }) => rps))),
    p50Ms: rounded(median(figures.map(({ p50Ms }) => p50Ms)), 3),
    p99Ms: rounded(median(figures.map(({ p99Ms }) => p99Ms)), 3),
    cpuUs: processor.length === 0 ? null : Math.round(median(processor)),
  };
}

function keyOf({ name, storage }: Pick<Subject, 'name' | 'storage'>, operation: string): string {
  return `${name} ${storage} ${operation}`;
}

async function ours(storage: 'power' | 'process', note: string): Promise<Subject> {
  const issuer = await start('passport/sallyport-issuer.ts', { resource: RESOURCE, durability: storage });
  return { name: 'sallyport', storage, note, issuer, lacks: {} };
}

async function bare(): Promise<Subject> {
  return {
    name: 'bare-oidc-provider',
    storage: 'memory',
    note: 'everything in memory; no record, no list of passports, replay forgotten at restart',
    issuer: await start('passport/bare-provider.ts', { audience: RESOURCE }),
    lacks: { introspection: 'it answers unsupported_token_type to its own JWTs' },
  };
}

async function start(script: string, input: unknown): Promise<Child> {
  const child = await Child.start(script, input);
  stops.push(() => child.stop());
  return child;
}
