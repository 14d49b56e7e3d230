import { expect, test } from 'vitest';
import { LIMITS, Refusal } from '../../../src/core/index.ts';
import { InFlight } from '../../../src/gateway/in-flight.ts';
import type { VerifiedPassport } from '../../../src/passport/index.ts';

const passportOf = (agentId: string, tenant = 'default') =>
  ({ subject: { tenant, agentId } }) as unknown as VerifiedPassport;

const nothing = () => undefined;

test.each([
  ['call', LIMITS.callsInFlightPerAgent],
  ['tunnel', LIMITS.tunnelsPerAgent],
] as const)(
  'one agent has so many %ss open and no more; another, and the other kind, are not counted',
  (kind, most) => {
    const flights = new InFlight();
    const other = kind === 'call' ? 'tunnel' : 'call';
    const open = Array.from({ length: most }, () => flights.begin(kind, passportOf('a'), nothing));
    expect(() => flights.begin(kind, passportOf('a'), nothing)).toThrow(
      expect.objectContaining({ code: 'throttled', retryAfterMs: 1000 }),
    );
    for (const [one, passport] of [
      [kind, passportOf('b')],
      [kind, passportOf('a', 'other')],
      [other, passportOf('a')],
    ] as const) {
      flights.end(flights.begin(one, passport, nothing));
    }
    const [first] = open;
    if (first === undefined) throw new TypeError('there is one');
    flights.end(first);
    flights.end(first);
    flights.begin(kind, passportOf('a'), nothing);
    expect(() => flights.begin(kind, passportOf('a'), nothing)).toThrow(Refusal);
  },
);

test('a cut reaches what matches, and draining waits for calls alone', async () => {
  const flights = new InFlight();
  const reasons: string[] = [];
  const begin = (kind: 'call' | 'tunnel', agentId: string) =>
    flights.begin(kind, passportOf(agentId), ({ code }) => reasons.push(`${agentId} ${kind} ${code}`));
  const call = begin('call', 'a');
  begin('tunnel', 'a');
  begin('call', 'b');
  const cut = flights.cut(({ passport }) => passport.subject.agentId === 'a', new Refusal('call_cut'));
  expect(cut).toBe(2);
  expect(reasons).toEqual(['a call call_cut', 'a tunnel call_cut']);
  flights.end(call);
  flights.cut(({ kind }) => kind === 'call', new Refusal('shutting_down'));
  expect(reasons.at(-1)).toBe('b call shutting_down');
});
