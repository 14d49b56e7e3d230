import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync, renameSync, statSync } from 'node:fs';
import { link, readFile, unlink, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode } from '../files/index.ts';
import { AuditFault } from './fault.ts';

/** A living owner touches its lock this often. */
const HEARTBEAT_MS = 1_000;
/** An owner that we can't look up (another container, another machine) counts as dead after this long. */
const SILENCE_MS = 4_000;
/** Two processes may find the same dead owner; the second to write wins, and both look again after this. */
const SETTLE_MS = 100;

export interface LogLock {
  release(): Promise<void>;
}

/**
 * Makes this process the only one that writes to the log. Node.js has no flock, so the lock is a file that
 * names its owner by process id, start time, and the place where those mean something (boot and process
 * namespace: two containers that share a volume are both process 1). A dead owner's lock is taken over.
 * `onLost` is called when another process took the lock although we live (it must then stop writing). Throws
 * AuditFault when another process has the log.
 */
export async function takeLock(directory: string, onLost: () => void): Promise<LogLock> {
  const file = join(directory, 'lock');
  const mine = JSON.stringify({ ...self(), nonce: randomUUID() });
  if (!(await create(file, mine))) await takeOver(file, mine);
  return hold(file, mine, onLost);
}

interface Owner {
  readonly pid: number;
  /** Start time in clock ticks since boot; null where the system has no /proc. */
  readonly start: string | null;
  readonly place: string;
}

/** The lock appears with its content or not at all. */
async function create(file: string, content: string): Promise<boolean> {
  const draft = `${file}.${process.pid}.${randomUUID()}`;
  await writeFile(draft, content, { flag: 'wx', mode: 0o600 });
  try {
    await link(draft, file);
    return true;
  } catch (fault) {
    if (hasCode(fault, 'EEXIST')) return false;
    throw fault;
  } finally {
    await unlink(draft);
  }
}

async function takeOver(file: string, mine: string): Promise<void> {
  const theirs = readLock(file);
  const owner = parseOwner(theirs);
  if (theirs !== null && (await lives(file, owner))) throw inUse(file, owner);
  const draft = `${file}.${process.pid}.${randomUUID()}`;
  await writeFile(draft, mine, { flag: 'wx', mode: 0o600 });
  // No pause between the look and the move.
  if (readLock(file) !== theirs) {
    await unlink(draft);
    throw inUse(file, null);
  }
  renameSync(draft, file);
  await sleep(SETTLE_MS);
  if (readLock(file) !== mine) throw inUse(file, null);
}

async function lives(file: string, owner: Owner | null): Promise<boolean> {
  const here = self().place;
  if (owner !== null && owner.place === here) {
    if (owner.start !== null) return startTimeOf(owner.pid) === owner.start;
    if (!isRunning(owner.pid)) return false;
  }
  return await beats(file);
}

/** Whether somebody touches the lock while we watch. */
async function beats(file: string): Promise<boolean> {
  const before = touchedAt(file);
  for (let waited = 0; waited < SILENCE_MS; waited += HEARTBEAT_MS / 2) {
    await sleep(HEARTBEAT_MS / 2);
    if (touchedAt(file) !== before) return true;
  }
  return false;
}

function hold(file: string, mine: string, onLost: () => void): LogLock {
  let beating: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    beating = beat(file, mine).then((ours) => {
      if (ours) return;
      clearInterval(timer);
      onLost();
    });
  }, HEARTBEAT_MS);
  timer.unref();
  return {
    async release() {
      clearInterval(timer);
      await beating;
      if (readLock(file) === mine) await unlink(file);
    },
  };
}

/** False when the lock is another's or gone. Not when it can't be read just now (no descriptor left, say). */
async function beat(file: string, mine: string): Promise<boolean> {
  try {
    if ((await readFile(file, 'utf8')) !== mine) return false;
    const now = new Date();
    await utimes(file, now, now);
    return true;
  } catch (fault) {
    return !hasCode(fault, 'ENOENT');
  }
}

function inUse(file: string, owner: Owner | null): AuditFault {
  const who = owner === null ? 'another process' : `process ${owner.pid}`;
  return new AuditFault(file, null, `the audit log is in use by ${who}; stop the other Sallyport first`);
}

function self(): Owner {
  return { pid: process.pid, start: startTimeOf(process.pid), place: thisPlace() };
}

function thisPlace(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot}/${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return `${process.platform}/${hostname()}`;
  }
}

/** Field 22 of /proc/<pid>/stat (proc_pid_stat(5)); the name in field 2 may hold spaces and parentheses. */
function startTimeOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A killed process that nobody has waited for writes no more.
    return state === 'Z' || state === 'X' ? null : (fields[18] ?? null);
  } catch {
    return null;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (fault) {
    return hasCode(fault, 'EPERM');
  }
}

function readLock(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (fault) {
    if (hasCode(fault, 'ENOENT')) return null;
    throw fault;
  }
}

function touchedAt(file: string): number | null {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? null;
}

function parseOwner(content: string | null): Owner | null {
  if (content === null) return null;
  try {
    const value: unknown = JSON.parse(content);
    if (typeof value !== 'object' || value === null) return null;
    if (!('pid' in value && 'start' in value && 'place' in value)) return null;
    const { pid, start, place } = value;
    if (typeof pid !== 'number' || typeof place !== 'string') return null;
    if (typeof start !== 'string' && start !== null) return null;
    return { pid, start, place };
  } catch {
    return null;
  }
}
