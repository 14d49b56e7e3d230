import { chmodSync, chownSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { caller } from '../../support/crash-load.ts';
import { CrashRun } from '../../support/crash-rounds.ts';
import { newHome, type ProcessOptions } from '../../support/service-process.ts';
import { callUntil, type Disaster, must, nothingIsLost } from './disaster.ts';

/** nobody: file modes mean nothing to root. */
const NOBODY = 65_534;
/** The smallest segments there are, so that a new file of the log is soon needed. */
const SETTINGS = { SALLYPORT_AUDIT_SEGMENT_BYTES: String(64 * 1024) };

export const readOnly: Disaster = {
  name: 'read-only',
  title: 'read-only files',
  async *run() {
    const isRoot = process.getuid?.() === 0;
    yield isRoot ? 'by file modes, with the service as the user nobody' : 'by file modes';
    const home = await newHome();
    const process_: ProcessOptions = isRoot ? { uid: NOBODY } : {};
    if (isRoot) chownSync(home, NOBODY, NOBODY);
    const run = await CrashRun.begin(3, { home, settings: SETTINGS, process: process_ });
    try {
      yield* whileItRuns(run);
      yield* atTheStart(run);
      yield await nothingIsLost(run);
    } finally {
      setWritable(join(home, 'data'), true);
      setWritable(join(home, 'keys'), true);
      await run.end();
    }
  },
};

async function* whileItRuns(run: CrashRun): AsyncGenerator<string> {
  const audit = join(run.home, 'data/audit');
  setWritable(audit, false);
  const call = await caller(await run.up(), run.scene);
  const calls = await callUntil(call, 503, 2_000);
  must((await call()).status === 503, 'a call passed without a record');
  yield `call ${calls}, which needs a new file of the log, is refused with 503, and so are all that follow`;
  setWritable(audit, true);
  await run.down('SIGTERM');
  const again = await caller(await run.up(), run.scene);
  must((await again()).status === 200, 'calls do not pass again');
  yield 'with the modes mended and after a restart calls pass';
}

async function* atTheStart(run: CrashRun): AsyncGenerator<string> {
  for (const part of ['data/audit', 'data/sallyport.db']) {
    await run.down('SIGTERM');
    setWritable(join(run.home, part), false);
    const fault = await run.up().then(
      () => 'none',
      (cause: unknown) => String(cause),
    );
    setWritable(join(run.home, part), true);
    must(/ended with 4/.test(fault), `with ${part} read-only the start ended so: ${fault}`);
    must(fault.includes(join(run.home, 'data')), `the fault does not name the place: ${fault}`);
    yield `a start with ${part} read-only is refused with code 4: ${lastLine(fault, run.home)}`;
  }
  setWritable(join(run.home, 'keys'), false);
  const call = await caller(await run.up(), run.scene);
  must((await call()).status === 200, 'calls do not pass with keys that can only be read');
  await run.down('SIGTERM');
  setWritable(join(run.home, 'keys'), true);
  yield 'with keys/ read-only, as a careful administrator leaves it, the service works';
}

function setWritable(path: string, isWritable: boolean): void {
  if (!statSync(path).isDirectory()) {
    chmodSync(path, isWritable ? 0o600 : 0o400);
    return;
  }
  chmodSync(path, 0o700);
  for (const name of readdirSync(path)) setWritable(join(path, name), isWritable);
  chmodSync(path, isWritable ? 0o700 : 0o500);
}

function lastLine(fault: string, home: string): string {
  return (fault.trim().split('\n').at(-1) ?? '').replaceAll(home, '…');
}
