import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Call, Subject } from '../../src/core/index.ts';
import type { DecoyRecord, Detector } from '../../src/detector/index.ts';
import { FORMS } from '../support/decoy-forms.ts';
import { Bench, bodyOf, httpCall, subject, toolCall } from '../unit/detector/support.ts';

/** A decoy, written in every way that a thief may be told to write it, also cut over the values of one call (G11). */

const NAMES = ['github-admin', 'aws-backup', 'stripe-live', 'backup'] as const;

let bench: Bench;
let detector: Detector;
let planted: readonly DecoyRecord[];
beforeAll(async () => {
  bench = await Bench.start();
  detector = await bench.open({ profile: 'observe', rate: { burst: 1e6, perSecond: 1e6 } });
  const plant = (name: string) =>
    detector.decoys.plantFor({ tenant: 'default', sid: 'sid_7', name, place: 'in the listing of services' });
  planted = (await Promise.all(NAMES.map(plant))).filter((decoy) => decoy !== null);
});
afterAll(() => bench.end());

/** What of the findings speaks of decoys; what only has the form of a secret is told by a rule. */
const decoysSeen = async (call: Call, who: Subject = subject) =>
  (await bench.inspect(detector, call, who)).findings.filter(({ check }) => check.startsWith('decoy.'));

const listOf = (written: string | readonly string[]) => (typeof written === 'string' ? [written] : written);

describe('a decoy that one session was shown is seen in the calls of another one', () => {
  it('in at least thirty writings', () => expect(FORMS.length).toBeGreaterThanOrEqual(30));

  it.each(FORMS)('as %s', async (_, write) => {
    for (const decoy of planted) {
      const values = listOf(write(decoy.value));
      const members = Object.fromEntries(values.map((value, at) => [`member${at}`, value]));
      for (const call of [
        toolCall('send_message', { to: 'bea@partners.example', ...members }),
        httpCall({ query: new URLSearchParams(members).toString() }),
        httpCall({ method: 'POST', body: bodyOf(JSON.stringify({ a: [values], regards: 'ana' })) }),
      ]) {
        const { effect, findings } = await bench.inspect(detector, call);
        expect({ name: decoy.name, kind: call.kind, effect }).toEqual({
          name: decoy.name,
          kind: call.kind,
          effect: 'deny',
        });
        expect(findings[0]).toMatchObject({ check: 'decoy.used', decoy: { sid: 'sid_7', id: decoy.id } });
        expect(JSON.stringify(findings)).not.toContain(decoy.value);
      }
    }
  });
});

describe('no false alarm comes', () => {
  const [first = ''] = FORMS.map(([name]) => name);

  it.each([
    ['a piece alone', (value: string) => [value.slice(0, 12)]],
    ['all of it but the end', (value: string) => [value.slice(0, -2)]],
    ['all of it but a piece in the middle', (value: string) => [value.slice(0, 8), value.slice(12)]],
    ['its name and its prefix', (value: string) => [value.slice(0, 4), first, 'github-admin']],
  ])('from %s', async (_, cut) => {
    for (const decoy of planted) {
      const call = toolCall('send_message', { parts: cut(decoy.value) });
      expect({ name: decoy.name, seen: await decoysSeen(call) }).toEqual({
        name: decoy.name,
        seen: [],
      });
    }
  });

  it('from words that a person chose, where they stand apart', async () => {
    await detector.decoys.plant(
      {
        tenant: 'default',
        kind: 'value',
        name: 'records',
        value: 'customer-records.internal@mail.invalid',
        severity: 'critical',
      },
      'admin anna',
    );
    const call = toolCall('search', { a: 'mail.invalid', b: 'customer-records', c: 'internal' });
    expect(await decoysSeen(call)).toEqual([]);
  });

  it('from another tenant’s decoys', async () => {
    const [decoy] = planted;
    const call = toolCall('send_message', { text: decoy?.value ?? '' });
    expect(await decoysSeen(call, { ...subject, tenant: 'other' })).toEqual([]);
  });
});

describe('each session', () => {
  const place = 'in the listing of services';

  it('has a value of its own, and keeps it', async () => {
    const plant = (sid: string) =>
      detector.decoys.plantFor({ tenant: 'default', sid, name: 'npm-publish', place });
    const [a, b, again] = [await plant('sid_a'), await plant('sid_b'), await plant('sid_a')];
    expect(a?.value).toMatch(/^npm_[A-Za-z0-9]{36}$/);
    expect(b?.value).not.toBe(a?.value);
    expect(again).toEqual(a);
  });

  it('names the session that was shown it, the place and the time, when another one leaks it', async () => {
    const decoy = planted[0] as DecoyRecord;
    const { findings } = await bench.inspect(detector, httpCall({ query: `t=${decoy.value}` }));
    expect(findings[0]?.evidence).toMatch(
      /^The decoy credential github-admin stands in the .* It was planted in session sid_7 at 2026-11-23T12:00:00\.000Z by the gate, in the listing of services\.$/,
    );
  });

  it('is shown so many and no more', async () => {
    const shown = [];
    for (let at = 0; at < 20; at += 1)
      shown.push(
        await detector.decoys.plantFor({
          tenant: 'default',
          sid: 'sid_many',
          name: 'backup',
          place: `${at}`,
        }),
      );
    expect(shown.filter((decoy) => decoy !== null)).toHaveLength(8);
  });

  it('is not forgotten by a restart', async () => {
    const decoy = planted[1] as DecoyRecord;
    const other = await bench.open({ profile: 'observe' });
    const call = toolCall('send_message', { text: [...decoy.value].reverse().join('') });
    expect((await bench.inspect(other, call)).effect).toBe('deny');
  });
});

describe('the work that looking for them takes is bounded', () => {
  it.each([
    ['words that look like base64', 'Zm9vYmFyYmF6'.repeat(40_000)],
    ['hex', '67'.repeat(300_000)],
    ['digits', '103 104 112 '.repeat(30_000)],
    ['percent signs', '%'.repeat(400_000)],
    ['back slashes', '\\'.repeat(400_000)],
    ['entities', '&#'.repeat(200_000)],
  ])('for %s', async (_, text) => {
    const { effect } = await bench.inspect(detector, toolCall('write_file', { text }));
    expect(effect).toBe('allow');
  });
});
