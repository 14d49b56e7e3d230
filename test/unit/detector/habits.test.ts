import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HttpCall } from '../../../src/core/index.ts';
import type { Detector } from '../../../src/detector/index.ts';
import { Bench, bodyOf, httpCall } from './support.ts';

const HOUR = 60 * 60 * 1000;
const DAY = 24 * HOUR;

let bench: Bench;
let detector: Detector;
beforeEach(async () => {
  bench = await Bench.start();
  bench.now = Date.parse('2026-11-02T00:00:00Z');
  detector = await bench.open({ rate: { burst: 1e6, perSecond: 1e6 } });
});
afterEach(() => bench.end());

const using = (credential: string | null, overrides: Partial<HttpCall> = {}) =>
  httpCall({ ...overrides, service: { ...httpCall().service, credential } });

/** So many calls within this hour; the findings of the last one. */
async function calls(count: number, call = using('api')) {
  let findings = (await bench.inspect(detector, call)).findings;
  for (let at = 1; at < count; at += 1) findings = (await bench.inspect(detector, call)).findings;
  return findings.filter(({ check }) => check.startsWith('habit.'));
}

/** Office hours, 9 to 16 UTC, on so many days: ten calls an hour. Ends on the morning of the next day, at 9. */
async function work(days: number, count = 10): Promise<void> {
  const first = bench.now;
  for (let day = 0; day < days; day += 1) {
    for (let hour = 9; hour < 16; hour += 1) {
      bench.now = first + day * DAY + hour * HOUR;
      await calls(count);
    }
  }
  bench.now = first + days * DAY + 9 * HOUR;
}

describe('habits of an agent', () => {
  it('are not broken before it has any', async () => {
    expect(await calls(500)).toEqual([]);
    bench.now += HOUR;
    expect(await calls(1, using('api', { method: 'POST', body: bodyOf(Buffer.alloc(4_000_000)) }))).toEqual(
      [],
    );
  });

  it('are broken by many more calls than in other hours, and the numbers are told', async () => {
    await work(4);
    expect(await calls(120)).toEqual([]);
    const [finding] = await calls(1);
    expect(finding).toMatchObject({ check: 'habit.rate', severity: 'low', score: 0.15 });
    expect(finding?.evidence).toBe(
      '121 calls in this hour; the median of its 28 active hours since 2026-11-02T09:00:00.000Z is 10, and more than 120 is beyond chance.',
    );
  });

  it('are broken by much more that leaves', async () => {
    await work(4);
    const upload = using('api', { method: 'POST', body: bodyOf(Buffer.alloc(2 * 1024 * 1024)) });
    expect(await calls(1, upload)).toMatchObject([{ check: 'habit.volume', score: 0.2 }]);
  });

  it('are broken by more credentials than in other hours', async () => {
    await work(4);
    for (const name of ['a', 'b', 'c', 'd', 'e']) expect(await calls(1, using(name))).toEqual([]);
    expect(await calls(1, using('f'))).toMatchObject([{ check: 'habit.fan-out' }]);
  });

  it('are broken by work at night, once there were days enough to know', async () => {
    await work(6);
    bench.now += 17 * HOUR;
    expect(await calls(1)).toEqual([]);
    bench.now = Date.parse('2026-11-09T00:00:00Z');
    await work(6);
    expect(await calls(1)).toEqual([]);
    bench.now += 13 * HOUR;
    const [finding] = await calls(1);
    expect(finding).toMatchObject({ check: 'habit.hour', score: 0.1 });
    expect(finding?.evidence).toContain('It is 22 o’clock UTC');
  });

  it('are not trained away by one wild night', async () => {
    await work(4);
    for (let hour = 0; hour < 6; hour += 1) {
      await calls(400);
      bench.now += HOUR;
    }
    expect(await calls(200)).toMatchObject([{ check: 'habit.rate' }]);
  });

  it('grow with the work', async () => {
    await work(4, 150);
    expect(await calls(200)).toEqual([]);
  });

  it('outlive a restart', async () => {
    await work(4);
    await calls(1);
    await detector.close();
    detector = await bench.open({ rate: { burst: 1e6, perSecond: 1e6 } });
    expect(await calls(125)).toMatchObject([{ check: 'habit.rate' }]);
  });

  it('begin again where what is stored is damaged', async () => {
    for (const habits of ['{', '{"hours":"x"}', 'null']) {
      await bench.storage.baselines.putHabits({ tenant: 'default', agentId: 'agent_1', habits, at: 1 });
      detector = await bench.open({ rate: { burst: 1e6, perSecond: 1e6 } });
      expect(await calls(300)).toEqual([]);
    }
  });

  it('hold no call up', async () => {
    await work(4);
    await calls(500);
    expect((await bench.inspect(detector, using('api'))).effect).toBe('allow');
  });
});
