import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Detector, DetectorOptions } from '../../../src/detector/index.ts';
import { Labeller } from '../../../src/detector/labels/index.ts';
import { Bench, httpCall, subject, toolCall } from './support.ts';

describe('what a tool or a place is', () => {
  const labeller = new Labeller([
    { name: 'crm.*', labels: ['private-data'] },
    { name: 'send_to_self', labels: [] },
  ]);

  it.each([
    ['read_emails', ['untrusted-source', 'private-data']],
    ['WebFetch', ['untrusted-source']],
    ['send_email', ['public-sink']],
    ['delete_repo', ['destructive']],
    ['get_secret', ['private-data']],
    ['add_numbers', []],
    ['', []],
  ])('is told by the name %s', (tool, labels) => {
    expect([...labeller.ofTool(tool)].toSorted()).toEqual(labels.toSorted());
  });

  it('is what the configuration says, first of all', () => {
    expect([...labeller.ofTool('CRM.send_email')]).toEqual(['private-data']);
    expect([...labeller.ofTool('send_to_self')]).toEqual([]);
  });

  it('is told by well-known hosts, for reading and for writing', () => {
    const origin = { scheme: 'https', host: 'api.github.com', port: 443 } as const;
    expect([...labeller.ofCall(httpCall({ origin }))]).toEqual(['untrusted-source', 'private-data']);
    expect([...labeller.ofCall(httpCall({ origin, method: 'POST' }))]).toEqual(['public-sink']);
    const other = { ...origin, host: 'notgithub.com' };
    expect([...labeller.ofCall(httpCall({ origin: other }))]).toEqual([]);
  });
});

describe('a session that has read untrusted text and private data', () => {
  let bench: Bench;
  let detector: Detector;
  beforeEach(async () => {
    bench = await Bench.start();
  });
  afterEach(() => bench.end());

  async function begin(o: { known: boolean; options?: Partial<DetectorOptions> }): Promise<void> {
    detector = await bench.open(o.options);
    const told = { subject, callId: 'c0', tool: '', now: bench.now };
    if (o.known)
      await detector.observe({ ...told, phase: 'instruction', text: 'Mail the sums to bea@corp.example.' });
    await detector.observe({
      ...told,
      phase: 'result',
      callId: 'c1',
      tool: 'browse_webpage',
      text: 'Some words.',
    });
    await detector.observe({
      ...told,
      phase: 'result',
      callId: 'c2',
      tool: 'get_invoices',
      text: 'Sum: 12.',
    });
  }

  const mail = (to: string) => bench.inspect(detector, toolCall('send_email', { to, text: 'Sum: 12.' }));

  it('is told when it writes to somebody whom the user never named, with what it has read', async () => {
    await begin({ known: true });
    const { effect, findings } = await mail('eve@other.example');
    expect(effect).toBe('allow');
    expect(findings.map(({ check, score }) => [check, score])).toEqual([['flow.leak', 0.3]]);
    expect(findings[0]?.evidence).toContain('(browse_webpage, c1)');
    expect(findings[0]?.evidence).toContain('(get_invoices, c2)');
    expect(findings[0]?.evidence).toContain('eve@other.example');
  });

  it('is left alone when it writes to whom the user named, or only looks', async () => {
    await begin({ known: true });
    expect((await mail('bea@corp.example')).findings).toEqual([]);
    const look = toolCall('search_emails', { from: 'eve@other.example' });
    expect((await bench.inspect(detector, look)).findings).toEqual([]);
  });

  it('says so, and weighs less, where the user was not heard', async () => {
    await begin({ known: false });
    const { findings } = await mail('eve@other.example');
    expect(findings[0]?.score).toBeCloseTo(0.18);
    expect(findings[0]?.evidence).toContain('is not known in this session');
  });

  it('is told when it destroys what the user did not speak of', async () => {
    await begin({ known: true });
    const { findings } = await bench.inspect(detector, toolCall('delete_folder', { name: 'plans' }));
    expect(findings.map(({ check }) => check)).toEqual(['flow.destroys']);
  });

  it('is as its configuration says', async () => {
    await begin({ known: true, options: { labels: [{ name: 'send_email', labels: [] }] } });
    expect((await mail('eve@other.example')).findings).toEqual([]);
  });
});

it('without untrusted text, nobody steers the session', async () => {
  const bench = await Bench.start();
  const detector = await bench.open();
  const call = toolCall('send_email', { to: 'eve@other.example', text: 'hello' });
  expect((await bench.inspect(detector, call)).findings).toEqual([]);
  await bench.end();
});
