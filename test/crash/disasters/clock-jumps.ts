import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { caller, touchDecoy } from '../../support/crash-load.ts';
import { CrashRun } from '../../support/crash-rounds.ts';
import { newHome } from '../../support/service-process.ts';
import { repositoryRoot } from '../../support/shared.ts';
import { type Disaster, must, nothingIsLost, outcome } from './disaster.ts';

const PRELOAD = join(repositoryRoot, 'test/crash/disasters/shifted-clock.mjs');
const HOUR_MS = 60 * 60_000;
/** Longer than the preload's look at its file. */
const SETTLE_MS = 200;

/** The clock of the whole machine, agents and gate, is set forward and back. */
export const clockJumps: Disaster = {
  name: 'clock-jumps',
  title: 'clock jumps',
  async *run() {
    yield 'by a preload that shifts Date.now in the service, and the same shift in the agents here';
    const file = join(await newHome(), 'clock-offset');
    const real = Date.now;
    const process_ = { nodeArguments: ['--import', PRELOAD] };
    const run = await CrashRun.begin(4, { settings: { CLOCK_OFFSET_FILE: file }, process: process_ });
    const jump = async (offset: number) => {
      writeFileSync(file, String(offset));
      Date.now = () => real() + offset;
      await sleep(SETTLE_MS);
    };
    try {
      yield* jumps(run, jump);
    } finally {
      Date.now = real;
      await run.end();
    }
  },
};

async function* jumps(run: CrashRun, jump: (offset: number) => Promise<void>): AsyncGenerator<string> {
  const call = await caller(await run.up(), run.scene);
  must((await call()).status === 200, 'a call did not pass');
  await jump(3 * HOUR_MS);
  must((await call()).status === 200, 'calls do not pass after a jump forward');
  yield 'three hours forward: agents renew their passports, and calls pass';

  must((await touchDecoy(await run.up(), run.scene)) === 403, 'the decoy was not seen');
  await jump(-48 * HOUR_MS);
  const { status: refused } = await call();
  must(refused !== 200, 'a proof from before the start of the gate passed');
  must((await outcome(await run.up(), 'GET', '/status')) === 'ok', 'the status can not be read');
  const change = { kind: 'session', value: 'session_back', reason: null };
  must((await outcome(await run.up(), 'POST', '/revocations', change)) === 'ok', 'a change was refused');
  yield `two days back: calls are refused (${refused}), since proofs from before the start may be replays; changes go on`;

  await run.down('SIGTERM');
  const after = await caller(await run.up(), run.scene);
  must((await after()).status === 200, 'calls do not pass after a restart');
  yield 'after a restart calls pass, with the clock still two days back';
  await jump(0);
  yield await nothingIsLost(run);
}
