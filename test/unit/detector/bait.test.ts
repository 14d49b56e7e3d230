import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BaitSettings, Detector } from '../../../src/detector/index.ts';
import { Bench, subject, toolCall } from './support.ts';

/** Decoys that the gate lays out by itself. */

const BAIT: BaitSettings = {
  listing: ['stripe-prod-admin', 'aws-root'],
  results: [
    { from: 'read_file', content: 'env-file', name: 'stripe-admin' },
    { from: 'list_*', content: 'json-list', name: 'github-root' },
    { from: 'docs', content: 'not-found', name: 'aws-backup' },
  ],
  tools: ['export_all_customers'],
  scopes: ['vault:root'],
};

let bench: Bench;
let detector: Detector;
beforeEach(async () => {
  bench = await Bench.start();
  detector = await bench.open({ bait: BAIT, profile: 'observe' });
});
afterEach(() => bench.end());

const plant = (tool: string, text: string, missing: boolean | null = null) =>
  detector.plantInResult({ subject, callId: 'c7', tool, text, missing, now: bench.now });
const decoyIn = (text: string | null, form: RegExp) => form.exec(text ?? '')?.[0] ?? '';

const ENV = 'DB_HOST=db.internal\nexport DB_USER=app\n';

describe('a listing', () => {
  it('shows each session decoys of its own, of the form that their names speak of', async () => {
    const [a, b] = [
      await detector.bait.listing(subject),
      await detector.bait.listing({ ...subject, sid: 'sid_2' }),
    ];
    expect(a.map(({ name }) => name)).toEqual(BAIT.listing);
    expect(a[0]?.value).toMatch(/^sk_live_[A-Za-z0-9]{24}$/);
    expect(a[1]?.value).toMatch(/^AKIA[A-Z2-7]{16}$/);
    expect(b[0]?.value).not.toBe(a[0]?.value);
    expect(await detector.bait.listing(subject)).toEqual(a);
  });

  it('shows none where none is configured', async () => {
    const plain = await bench.open();
    expect(await plain.bait.listing(subject)).toEqual([]);
    expect(plain.bait.wants('read_file')).toBe(false);
  });
});

describe('a result', () => {
  it('that looks like an .env file gets one more line, and its use is denied', async () => {
    const text = await plant('read_file', ENV);
    expect(text).toMatch(
      /^DB_HOST=db\.internal\nexport DB_USER=app\nSTRIPE_ADMIN=sk_live_[A-Za-z0-9]{24}\n$/,
    );
    const value = decoyIn(text, /sk_live_\w+/);
    const { effect, findings } = await bench.inspect(
      detector,
      toolCall('Bash', { command: `stripe --key ${value}` }),
    );
    expect(effect).toBe('deny');
    expect(findings[0]?.evidence).toContain(
      'It was planted in session sid_1 at 2026-11-23T12:00:00.000Z by the gate, in the answer of read_file (c7). This session had read it from read_file at 2026-11-23T12:00:00.000Z.',
    );
  });

  it('keeps the line ends that it has', async () => {
    expect(await plant('read_file', ENV.replaceAll('\n', '\r\n'))).toMatch(
      /\r\nSTRIPE_ADMIN=sk_live_\w+\r\n$/,
    );
    expect(await plant('read_file', ENV.trimEnd())).toMatch(/DB_USER=app\nSTRIPE_ADMIN=sk_live_\w+\n$/);
  });

  it('that is a list of records with a secret gets one more record, made like the last', async () => {
    const list = {
      total: 2,
      items: [
        { id: 1, name: 'ci', token: 'a' },
        { id: 2, name: 'cd', token: 'b' },
      ],
    };
    const planted = JSON.parse((await plant('list_tokens', JSON.stringify(list))) ?? '{}');
    expect(planted.items.slice(0, 2)).toEqual(list.items);
    expect(planted.items[2]).toEqual({
      id: 3,
      name: 'github-root',
      token: expect.stringMatching(/^ghp_\w{36}$/),
    });
  });

  it('that says that nothing is there shows what its maker forgot', async () => {
    expect(await plant('docs', '<html><body>Not found</body></html>', true)).toMatch(
      /^<html><body>Not found<!-- AWS_BACKUP=AKIA[A-Z2-7]{16} -->\n<\/body><\/html>$/,
    );
    expect(JSON.parse((await plant('docs', '{"message":"Not Found"}', true)) ?? '{}')).toEqual({
      message: 'Not Found',
      debug: { aws_backup: expect.stringMatching(/^AKIA/) },
    });
  });

  it.each([
    ['another tool', 'cat', ENV, null],
    ['prose', 'read_file', 'Set DB_HOST=db.internal first.', null],
    ['a list of records without a secret', 'list_users', '[{"id":1,"name":"ana"}]', null],
    ['a list of words', 'list_users', '["ana","bea"]', null],
    ['an object with two lists', 'list_tokens', '{"a":[{"token":"x"}],"b":[{"token":"y"}]}', null],
    ['broken JSON', 'list_tokens', '[{"token":"x"}', null],
    ['a page that is there', 'docs', '<html><body>Hello</body></html>', false],
    ['a text that is longer than a page', 'read_file', ENV.repeat(4_000), null],
    ['nothing', 'read_file', '', null],
  ])('of %s stays as it is, and plants nothing', async (_, tool, text, missing) => {
    expect(await plant(tool, text, missing)).toBeNull();
    expect(await detector.decoys.list('default')).toEqual([]);
  });
});

describe('a decoy tool', () => {
  it.each([['export_all_customers'], ['mcp__crm__export_all_customers'], ['Export_All_Customers']])(
    'is denied under every profile when it is called as %s',
    async (tool) => {
      const { effect, findings } = await bench.inspect(detector, toolCall(tool, {}));
      expect(effect).toBe('deny');
      expect(findings).toMatchObject([
        { check: 'decoy.tool', severity: 'critical', decoy: { sid: 'sid_1' } },
      ]);
      expect(findings[0]?.evidence).toContain('2026-11-23T12:00:00.000Z');
    },
  );

  it('is no other tool', async () => {
    expect((await bench.inspect(detector, toolCall('export_customers', {}))).findings).toEqual([]);
  });
});

describe('a decoy scope', () => {
  it('is told when it is asked for, and no other is', () => {
    expect(detector.bait.scopeFinding(['mail:read', 'vault:root'], 'sid_9')).toMatchObject({
      check: 'decoy.scope',
      decoy: { id: 'scope:vault:root', sid: 'sid_9' },
    });
    expect(detector.bait.scopeFinding(['mail:read'], null)).toBeNull();
  });
});
