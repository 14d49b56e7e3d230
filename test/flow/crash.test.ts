import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CrashRun, type Round } from '../support/crash-rounds.ts';

const KILLS = 20;

describe(`a service that is killed ${KILLS} times at random points (npm run crash-test: 200 times)`, () => {
  const seed = Date.now() % 1_000_000;
  const rounds: Round[] = [];
  let run: CrashRun;

  beforeAll(async () => {
    run = await CrashRun.begin(seed);
    for (let kill = 0; kill < KILLS; kill++) rounds.push(await run.round());
  }, 600_000);
  afterAll(() => run.end());

  it('was really under load', () => {
    const { calls, credentials, revocations, agents, decoyRefusals } = run.scene.acknowledged;
    const least = Math.min(calls, credentials.size, revocations.size, agents.size, decoyRefusals.size);
    expect(least, `seed ${seed}`).toBeGreaterThan(0);
  });

  it('keeps a chain that verifies each time', async () => {
    expect(rounds.filter(({ broken }) => broken !== null)).toEqual([]);
    expect(await run.verify()).toMatchObject({ ok: true });
  });

  it('loses no call, credential, agent, quarantine, revocation or alert that it acknowledged', async () => {
    const { lost, checked } = await run.losses();
    expect(lost, `seed ${seed}`).toEqual([]);
    expect(Math.min(...Object.values(checked))).toBeGreaterThan(0);
  }, 120_000);
});
