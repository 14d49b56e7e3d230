import { randomBytes } from 'node:crypto';
import { brotliCompressSync, deflateRawSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DecoyRecord, Detector } from '../../src/detector/index.ts';
import { Bench, bodyOf, httpCall, toolCall } from '../unit/detector/support.ts';

/** A coded decoy behind much that looks coded, too: what hides it must not use up the search (G11). */

const PROSE =
  'Please send the 23 invoices of the quarter to the accounting department, as described in internal/documentation. ';
const token = () => randomBytes(30).toString('base64url');
const many = (count: number, make: () => string) => Array.from({ length: count }, make).join(' ');

let bench: Bench;
let detector: Detector;
let decoy: DecoyRecord;
beforeAll(async () => {
  bench = await Bench.start();
  detector = await bench.open({ profile: 'observe', rate: { burst: 1e6, perSecond: 1e6 } });
  decoy = (await detector.decoys.plantFor({
    tenant: 'default',
    sid: 'sid_7',
    name: 'github-admin',
    place: 'in a file',
  })) as DecoyRecord;
});
afterAll(() => bench.end());

const checksOf = async (text: string) =>
  (await bench.inspect(detector, toolCall('write_file', { text }))).findings.map(({ check }) => check);

const hexOf = (letter: string) => letter.charCodeAt(0).toString(16).padStart(2, '0');
const percent = (text: string) => [...text].map((one) => `%${hexOf(one)}`).join('');
const entities = (text: string) => [...text].map((one) => `&#${one.charCodeAt(0)};`).join('');

const CODINGS: readonly (readonly [string, (text: string) => string])[] = [
  ['base64', (text) => Buffer.from(text).toString('base64')],
  ['hex of base64', (text) => Buffer.from(Buffer.from(text).toString('base64')).toString('hex')],
  ['base64 of gzip', (text) => gzipSync(text).toString('base64')],
  ['base64 of brotli', (text) => brotliCompressSync(text).toString('base64')],
  ['base64 of bare deflate', (text) => deflateRawSync(text).toString('base64')],
  ['base64 of gzip of JSON', (text) => gzipSync(JSON.stringify({ note: PROSE, text })).toString('base64')],
];

describe.each(CODINGS)('%s', (_, write) => {
  it.each([
    ['64 KiB of prose', PROSE.repeat(600)],
    ['8,000 words', many(8_000, () => 'implementation')],
    ['400 tokens', many(400, token)],
    ['100 hashes', many(100, () => randomBytes(20).toString('hex'))],
    ['a thousand base64 words', many(1_000, () => Buffer.from('some words').toString('base64'))],
  ])('is seen behind %s', async (__, junk) => {
    expect(await checksOf(`${junk}\n${write(decoy.value)}\n`)).toContain('decoy.used');
  });
});

it('is seen in base64 behind a path of the same letters', async () => {
  const coded = Buffer.from(decoy.value).toString('base64url');
  expect(
    await checksOf(`https://x.example/a/quite/long/path/that/goes/on/and/on/forever/${coded}`),
  ).toContain('decoy.used');
});

it.each([
  ['percent of entities', (text: string) => encodeURIComponent(entities(text))],
  ['escapes of percent', (text: string) => percent(text).replaceAll('%', '\\x25')],
  ['entities of escapes', (text: string) => entities([...text].map((one) => `\\u00${hexOf(one)}`).join(''))],
  ['quoted-printable of percent', (text: string) => percent(text).replaceAll('%', '=25')],
  [
    'percent of quoted-printable',
    (text: string) => percent([...text].map((one) => `=${hexOf(one)}`).join('')),
  ],
  [
    'base64 of quoted-printable of entities',
    (text: string) => Buffer.from(entities(text).replaceAll('&', '=26')).toString('base64'),
  ],
])('is seen in %s, one coding inside another', async (_, write) => {
  expect(await checksOf(`x=4&y=${write(decoy.value)}&50%;`)).toContain('decoy.used');
});

it('is seen among thousands of values', async () => {
  const values = Array.from({ length: 3_000 }, (_, at) => `value ${at}`);
  const call = toolCall('import', { values: [...values, Buffer.from(decoy.value).toString('base64')] });
  expect((await bench.inspect(detector, call)).findings.map(({ check }) => check)).toContain('decoy.used');
});

describe('where there is more than is decoded', () => {
  it('the call says so', async () => {
    const { findings, effect } = await bench.inspect(
      detector,
      toolCall('write_file', { text: PROSE.repeat(6_000) }),
    );
    expect(findings).toMatchObject([{ check: 'decoy.unsearched', severity: 'medium', score: 0.3 }]);
    expect(findings[0]?.decoy).toBeUndefined();
    expect(effect).toBe('allow');
  });

  it('says so for what only looks packed, too', async () => {
    // Each of them begins as bare deflate does: a whole code, and nothing behind it.
    const head = deflateRawSync(randomBytes(2_000).toString('hex')).subarray(0, 18);
    const texts = many(2_000, () => Buffer.concat([head, randomBytes(12)]).toString('base64'));
    expect(await checksOf(texts)).toContain('decoy.unsearched');
  });

  it('what stands there as it is, is seen all the same', async () => {
    const call = httpCall({
      method: 'POST',
      body: bodyOf(`${PROSE.repeat(8_000)}${decoy.value.toUpperCase()}`),
    });
    expect((await bench.inspect(detector, call)).findings[0]).toMatchObject({ check: 'decoy.used' });
  });

  it('of 100 KiB everything is decoded', async () => {
    expect(await checksOf(PROSE.repeat(900))).toEqual([]);
    expect(await checksOf(randomBytes(75_000).toString('base64'))).toEqual([]);
  });
});
