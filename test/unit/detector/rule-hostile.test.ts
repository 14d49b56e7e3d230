import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RuleEvent, RuleState } from '../../../src/detector/rules/index.ts';
import { readRules } from '../../../src/detector/rules/load.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-rules-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function faultsOf(text: string): Promise<readonly string[]> {
  await writeFile(join(folder, 'a.yaml'), text);
  const { set, faults } = await readRules(folder);
  expect(set.size).toBe(0);
  return faults.map(({ what }) => what);
}

const indented = Array.from({ length: 1400 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n');

// Each of these takes a parser that is not on its guard from ten seconds to hours, or all memory.
describe('a file that is made to be expensive', () => {
  it.each([
    ['brackets in brackets', `a: ${'['.repeat(500_000)}`, /more than 64 levels/],
    ['maps in maps', `a: ${'{a: '.repeat(200_000)}`, /more than 64 levels/],
    ['dashes behind dashes', '- '.repeat(500_000), /more than 64 levels/],
    ['ever deeper indentation', indented, /more than 64 levels/],
    ['closing brackets', '}'.repeat(500_000), /closes nothing/],
    [
      'eighty thousand members',
      Array.from({ length: 80_000 }, (_, i) => `k${i}: 1`).join('\n'),
      /100000 words/,
    ],
    ['an alias for a thousand aliases', `a: &a [x, x]\nb: &b [*a, *a]\nrules: [*b, *b]`, /alias/i],
    ['a file of ten megabytes', '#'.repeat(10 * 1024 * 1024), /larger than 1 MiB/],
    ['a thousand and one rules', `rules: [${'1,'.repeat(1001)}]`, /rules/],
  ])('is refused: %s', async (_, text, fault) => {
    expect((await faultsOf(text)).join('\n')).toMatch(fault);
  });

  it('tells at most two hundred faults', async () => {
    expect(await faultsOf(`rules: [${'{},'.repeat(900)}]`)).toHaveLength(200);
  });
});

const rule = (regex: string, hit: string) => `rules:
  - id: one
    title: One
    severity: low
    score: 0.1
    on: call
    match: { field: args, regex: ${JSON.stringify(regex)} }
    cases: { match: [{ args: ${JSON.stringify(hit)} }], pass: [{ args: "fine" }] }
`;

async function findingsOf(regex: string, hit: string, text: string): Promise<readonly string[]> {
  await writeFile(join(folder, 'a.yaml'), rule(regex, hit));
  const { set, faults } = await readRules(folder);
  expect(faults).toEqual([]);
  return set
    .match({
      event: new RuleEvent('call', new Map([['args', text]])),
      state: new RuleState(),
      agentId: 'a',
      service: 's',
      callId: 'c',
      now: 0,
    })
    .map(({ check }) => check);
}

describe('an expression that is made to be expensive', () => {
  const size = 64 * 1024;

  // The texts hold the letters that the expressions need, so that these are run; a backtracking engine never ends.
  it.each([
    ['(a+)+bb[0-9]', 'abb1', `${'a'.repeat(size - 2)}bb`],
    ['(a|a)*bb[0-9]', 'abb1', `${'a'.repeat(size - 2)}bb`],
    ['(.*)(.*)(.*)(.*)(.*)xx[0-9]$', 'xx1', `xx${'y'.repeat(size - 2)}`],
    ['(a?){50}a{50}bb[0-9]', `${'a'.repeat(50)}bb1`, `${'a'.repeat(size - 2)}bb`],
  ])('runs in linear time: %s', async (regex, hit, text) => {
    expect(await findingsOf(regex, hit, text)).toEqual([]);
  });

  it('is not run, and that is told, where its looks would cost more than an event may', async () => {
    const text = `bad${'y'.repeat(size - 4)}z`;
    expect(await findingsOf('bad(?!q{300})[^z]*z', 'badz', text)).toEqual(['rules.exhausted']);
    expect(await findingsOf('bad(?!q{3})[^z]*z', 'badz', text)).toEqual(['rule.one']);
  });
});
