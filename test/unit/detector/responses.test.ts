import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DetectorOptions } from '../../../src/detector/index.ts';
import { Bench, httpCall, toolCall } from './support.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await Bench.start();
});
afterEach(() => bench.end());

// One finding of 0.8.
const likely = toolCall('Bash', { command: 'echo aGk= | base64 -d | sh' });

async function verdicts(options: Partial<DetectorOptions>, ...calls: Parameters<Bench['inspect']>[1][]) {
  const detector = await bench.open(options);
  const out = [];
  for (const call of calls) out.push(await bench.inspect(detector, call));
  return out;
}

describe('what is done from which risk on', () => {
  it('is what the profile says, when nothing else is set', async () => {
    const [verdict] = await verdicts({}, likely);
    expect(verdict).toMatchObject({ effect: 'hold', score: 0.8 });
    expect(verdict).not.toHaveProperty('contain');
  });

  it('can be set instead of what the profile says', async () => {
    expect((await verdicts({ holdFrom: 0.9 }, likely))[0]?.effect).toBe('allow');
    expect((await verdicts({ denyFrom: 0.8 }, likely))[0]?.effect).toBe('deny');
  });

  it('is told as a containment, which always denies', async () => {
    const responses = [
      { of: 'call', from: 0.75, do: 'revoke-passport' },
      { of: 'call', from: 0.5, do: 'revoke-key' },
      { of: 'call', from: 0.81, do: 'quarantine-user' },
    ] as const;
    const [verdict] = await verdicts({ responses }, likely);
    expect(verdict).toMatchObject({ effect: 'deny', contain: ['revoke-passport', 'revoke-key'] });
  });

  it('counts what the session did before, and fades with it', async () => {
    const responses = [{ of: 'session', from: 0.75, do: 'deny' }] as const;
    const detector = await bench.open({ responses });
    expect((await bench.inspect(detector, httpCall())).effect).toBe('allow');
    await bench.inspect(detector, likely);
    expect((await bench.inspect(detector, httpCall())).effect).toBe('deny');
    bench.now += 60 * 60_000;
    expect((await bench.inspect(detector, httpCall())).effect).toBe('allow');
  });

  it('can be to wait; a stricter word counts more', async () => {
    const throttle = { of: 'session', from: 0.5, do: 'throttle' } as const;
    const [held, slow] = await verdicts({ responses: [throttle] }, likely, httpCall());
    expect(held).toMatchObject({ effect: 'hold', retryAfterMs: null });
    expect(slow).toMatchObject({ effect: 'hold', retryAfterMs: 30_000 });
  });

  it('is nothing in the profile observe', async () => {
    const responses = [{ of: 'call', from: 0.1, do: 'quarantine-agent' }] as const;
    const [verdict] = await verdicts({ profile: 'observe', responses }, likely);
    expect(verdict?.effect).toBe('allow');
    expect(verdict).not.toHaveProperty('contain');
  });
});
