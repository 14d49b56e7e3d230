import { join } from 'node:path';
import { caller } from '../../support/crash-load.ts';
import { CrashRun } from '../../support/crash-rounds.ts';
import { repositoryRoot } from '../../support/shared.ts';
import { type Disaster, must, nothingIsLost } from './disaster.ts';

const PRELOAD = join(repositoryRoot, 'test/crash/disasters/slow-sync.mjs');
const CALLS = 40;
const KILLS = 4;

/** Every sync of the audit log takes 150 ms, every tenth 1.5 s. */
export const slowDisk: Disaster = {
  name: 'slow-disk',
  title: 'a slow disk',
  async *run() {
    yield "by a preload that delays Node's fdatasync, with which the audit log waits for the disk";
    const run = await CrashRun.begin(2, { process: { nodeArguments: ['--import', PRELOAD] } });
    try {
      const service = await run.up();
      const agents = await Promise.all(Array.from({ length: 4 }, () => caller(service, run.scene)));
      const answers = await Promise.all(
        Array.from({ length: CALLS }, (_, at) => (agents[at % agents.length] ?? agents[0])?.()),
      );
      must(
        answers.every((answer) => answer?.status === 200),
        `calls were answered ${[...new Set(answers.map((answer) => answer?.status))].join(', ')}`,
      );
      yield `${CALLS} calls at once wait for their records, together in few groups, and pass`;
      for (let kill = 0; kill < KILLS; kill++) {
        const { broken } = await run.round();
        must(broken === null, `the chain is broken: ${JSON.stringify(broken)}`);
      }
      yield `${KILLS} kills while it waited for the disk`;
      yield await nothingIsLost(run);
    } finally {
      await run.end();
    }
  },
};
