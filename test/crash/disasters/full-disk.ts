import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { caller } from '../../support/crash-load.ts';
import { CrashRun } from '../../support/crash-rounds.ts';
import { newHome } from '../../support/service-process.ts';
import { callUntil, type Disaster, must, nothingIsLost, outcome } from './disaster.ts';

const DISK = 'size=24m,mode=700';
/** In 512-byte units for the shell: 2 MiB a file, which the log reaches within the calls below. */
const FILE_BLOCKS = 4096;
const CHANGE = { kind: 'session', value: 'session_full', reason: null } as const;

/** The disk of the data folder fills up under load: a small tmpfs where it may be mounted. */
export const fullDisk: Disaster = {
  name: 'full-disk',
  title: 'a full disk',
  async *run() {
    const home = await newHome();
    const data = join(home, 'data');
    mkdirSync(data, { mode: 0o700 });
    const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', DISK, 'tmpfs', data]).status === 0;
    try {
      yield isMounted
        ? `by a tmpfs (${DISK}) on the data folder: ENOSPC`
        : 'no mount is permitted here: by RLIMIT_FSIZE (ulimit -f) of the process: EFBIG';
      yield* isMounted ? onSmallDisk(home, data) : withFileLimit(home);
    } finally {
      if (isMounted) spawnSync('umount', ['--lazy', data]);
    }
  },
};

async function* onSmallDisk(home: string, data: string): AsyncGenerator<string> {
  const run = await CrashRun.begin(1, { home });
  try {
    const ballast = join(data, 'ballast');
    yield* fillAndMend(run, {
      fill: () => fillUp(ballast),
      mend: () => rmSync(ballast),
    });
  } finally {
    await run.end().catch(() => {});
  }
}

async function* withFileLimit(home: string): AsyncGenerator<string> {
  const wrapper = ['sh', '-c', `ulimit -f ${FILE_BLOCKS}; exec "$0" "$@"`];
  const run = await CrashRun.begin(1, { home, process: { wrapper } });
  try {
    yield* fillAndMend(run, { fill: () => {}, mend: () => void run.up({}) });
  } finally {
    await run.end();
  }
}

async function* fillAndMend(run: CrashRun, disk: { fill(): void; mend(): void }): AsyncGenerator<string> {
  const service = await run.up();
  const call = await caller(service, run.scene);
  must((await call()).status === 200, 'a call did not pass before the disk was full');
  await run.round();
  const again = await caller(await run.up(), run.scene);
  disk.fill();
  const calls = await callUntil(again, 503, 20_000);
  const seen = run.scene.acknowledged.seenUpstream.size;
  for (let count = 0; count < 20; count++)
    must((await again()).status === 503, 'a call passed without a record');
  must(run.scene.acknowledged.seenUpstream.size === seen, 'a refused call reached the upstream');
  yield `call ${calls} after that is refused with 503, and so are all that follow: nothing leaves unrecorded`;

  const full = await run.up();
  const change = await outcome(full, 'POST', '/revocations', CHANGE);
  must(change.startsWith('503'), `a change was answered ${change}`);
  must((await outcome(full, 'GET', '/status')) === 'ok', 'the status can not be read');
  yield `a change is refused (${change}); reading goes on`;

  disk.mend();
  const stopped = await run.down('SIGTERM');
  const mended = await caller(await run.up(), run.scene);
  must((await mended()).status === 200, 'calls do not pass again');
  must((await outcome(await run.up(), 'POST', '/revocations', CHANGE)) === 'ok', 'changes do not pass again');
  yield `with room again and after a restart (exit code ${stopped}) calls and changes pass`;
  yield await nothingIsLost(run);
}

function fillUp(file: string): void {
  const descriptor = openSync(file, 'w');
  try {
    for (const size of [1024 * 1024, 4096]) {
      const block = Buffer.alloc(size, 1);
      try {
        while (writeSync(descriptor, block) === size);
      } catch (fault) {
        if (!(fault instanceof Error && 'code' in fault && fault.code === 'ENOSPC')) throw fault;
      }
    }
  } finally {
    closeSync(descriptor);
  }
}
