import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { whyNoEngine } from '../../src/guard/index.ts';
import { findShared, repositoryRoot } from '../support/shared.ts';

/** What the benchmarks print with `--json`: other programs read it. No figure is asserted, its shape is. */
const figure = z.number().nonnegative();
const labels = { note: z.string().optional() };
const skippable = (shape: z.ZodObject, named: readonly string[]) =>
  z.union([
    shape,
    shape
      .pick(Object.fromEntries(named.map((name) => [name, true] as const)) as Record<string, true>)
      .extend({ skipped: z.string().min(1) })
      .strict(),
  ]);

const gateway = z.strictObject({
  name: z.literal(
    ['direct', 'sallyport-reverse', 'sallyport-intercept', 'sandbox-runtime', 'http-mitm-proxy'].concat([
      ...['mockttp', 'nginx', 'haproxy', 'mitmproxy'],
    ]),
  ),
  mode: z.enum(['reverse', 'intercept', 'direct']),
  auth: z.enum(['dpop', 'bearer']).optional(),
  guard: z.enum(['on', 'off']).optional(),
  audit: z.enum(['process', 'power']).optional(),
  // A call can seem faster than one that goes nowhere else, by chance.
  addedP50Ms: z.number(),
  addedP99Ms: z.number(),
  rps16: figure,
  ...{ upstream: z.enum(['http', 'https']).optional(), p50Ms: figure, rps1: figure, rps64: figure },
  ...{ p99Ms16: figure, cpuUs16: figure.nullable(), rssMiB: figure.nullable() },
  ...labels,
});
const passport = z.strictObject({
  name: z.enum(['sallyport', 'bare-oidc-provider']),
  operation: z.literal(
    ['client-credentials-secret', 'client-credentials-jwt-dpop', 'token-exchange', 'introspection'].concat(
      'verify-at-gateway',
    ),
  ),
  rps: figure,
  p50Ms: figure,
  p99Ms: figure,
  cpuUs: figure.nullable(),
  storage: z.enum(['memory', 'process', 'power']).optional(),
  ...labels,
});
const audit = z.strictObject({
  name: z.enum(['sallyport', 'sqlite-wal', 'pino']),
  mode: z.enum(['process', 'power']),
  writers: z.int().positive(),
  appendsPerSecond: figure,
  p99Ms: figure,
  ...labels,
});

const BENCHES = [
  {
    bench: 'gateway',
    options: ['--only', 'sallyport', '--warm', '0'],
    shape: gateway,
    named: ['name', 'mode', 'auth', 'guard', 'audit', 'note'],
    rows: ['sallyport-reverse dpop process', 'sallyport-intercept dpop process']
      .concat(['sallyport-reverse dpop power', 'sallyport-intercept dpop power'])
      .concat(['sallyport-reverse bearer process', 'sallyport-intercept bearer process']),
    rowOf: (row: Row) => [row.name, row.auth, row.audit].filter((one) => one !== undefined).join(' '),
  },
  {
    bench: 'passport',
    options: [],
    shape: passport,
    named: ['name', 'operation', 'storage', 'note'],
    rows: ['client-credentials-jwt-dpop', 'client-credentials-secret', 'token-exchange']
      .flatMap((operation) => [`sallyport ${operation}`, `bare-oidc-provider ${operation}`])
      .concat(['sallyport introspection', 'sallyport verify-at-gateway']),
    rowOf: (row: Row) => `${row.name} ${row.operation}`,
  },
  {
    bench: 'audit',
    options: [],
    shape: audit,
    named: ['name', 'mode', 'writers', 'note'],
    rows: ['process', 'power'].flatMap((mode) =>
      ['sallyport', 'sqlite-wal', 'pino'].flatMap((name) =>
        [1, 16, 64].map((writers) => `${name} ${mode} ${writers}`),
      ),
    ),
    rowOf: (row: Row) => `${row.name} ${row.mode} ${row.writers}`,
  },
] as const;

const revocation = z.strictObject({
  case: z.enum(['next-call', 'call-after', 'stream-cut', 'subtree']),
  count: z.int().positive(),
  ...{ p50Ms: figure, p99Ms: figure, maxMs: figure, ackP50Ms: figure.optional() },
  // A call or a stream that a revocation let through.
  passed: z.literal(0),
  records: z.literal(1).optional(),
  ...labels,
});

const guardStream = z.strictObject({
  name: z.literal('sallyport'),
  model: z.string(),
  quant: z.literal('Q8_0'),
  case: z.literal('stream'),
  streaming: z.enum(['pinned', 'disk']),
  tokens: z.int().positive(),
  ...{ passMs: figure, residentMs: figure, slowdown: figure, linkShare: figure },
  ...{ overlap: figure.max(1), stallShare: figure },
  ...labels,
});

/** Benchmarks that the page of the format, which the projects have in common, does not name. */
const OWN_BENCHES = [
  {
    bench: 'revocation',
    options: ['--seconds', '0.02'],
    shape: revocation,
    named: ['case', 'note'],
    rows: ['next-call', 'call-after', 'stream-cut', 'subtree'],
    rowOf: (row: Row) => String(row.case),
  },
  // Without a C++ compiler there is no engine to measure.
  ...(whyNoEngine() === null
    ? [
        {
          bench: 'guard-stream',
          options: ['--only', '1,16'],
          shape: guardStream,
          named: ['name', 'note'],
          rows: ['pinned 1', 'pinned 16', 'disk 1', 'disk 16'],
          rowOf: (row: Row) => `${row.streaming} ${row.tokens}`,
        },
      ]
    : []),
] as const;

type Row = Readonly<Record<string, unknown>>;

const document = z.strictObject({
  bench: z.string(),
  node: z.string().regex(/^v\d+\./),
  cpu: z.string().min(1),
  date: z.iso.datetime(),
  rows: z.array(z.record(z.string(), z.unknown())).min(1),
});

const page = findShared();

describe('what benchmarks print with --json', () => {
  test.for([...BENCHES, ...OWN_BENCHES])(
    '$bench',
    { timeout: 180_000 },
    async ({ bench, options, shape, named, rows, rowOf }) => {
      const file = join(repositoryRoot, 'bench', `${bench}.ts`);
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [file, '--json', '--rounds', '1', '--seconds', '0.1', ...options],
        { cwd: repositoryRoot, maxBuffer: 16 * 1024 * 1024 },
      );
      const last = stdout.trimEnd().split('\n').at(-1) ?? '';
      const printed = document.parse(JSON.parse(last));
      expect(printed.bench).toBe(bench);
      for (const row of printed.rows) expect(skippable(shape, named).parse(row)).toEqual(row);
      const measured = printed.rows.filter(({ skipped }) => skipped === undefined).map(rowOf);
      expect(measured).toEqual(expect.arrayContaining([...rows]));
    },
  );

  test.skipIf(page === null)('has the members that the page of the format names', () => {
    const text = readFileSync(join(page ?? '', 'reference', 'bench-format.md'), 'utf8');
    for (const { bench, shape } of BENCHES) {
      const line = text.split('\n').find((one) => one.startsWith(`| ${bench} |`)) ?? '';
      const members = [...(/`\{(.*?)\}`/.exec(line)?.[1] ?? '').matchAll(/(?<=^|,)"(\w+)"(\??)/g)];
      const known = new Map(members.map(([, name = '', optional = '']) => [name, optional === '?']));
      const { shape: own } = shape as z.ZodObject;
      const missing = [...known].filter(([name, optional]) => own[name] === undefined && !optional);
      expect({ bench, members: known.size > 4, missing }).toEqual({ bench, members: true, missing: [] });
    }
  });
});
