import type { Clock } from '../core/index.ts';
import { GuardFault } from './engine/fault.ts';
import type { Guard, GuardScores, GuardSegment, GuardStatus } from './guard.ts';
import type { GuardLine } from './process/line.ts';
import type { Ready } from './process/messages.ts';
import { type Question, RememberedScores } from './remembered.ts';

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 30_000;
/** A model file that is refused stays refused until somebody does something about it. */
const REFUSED_PAUSE_MS = 60_000;
/** A guard that has lived so long died of something new. */
const LASTING_MS = 60_000;
const MOST_SEGMENTS = 64;
const MOST_CHARS = 4 * 1024 * 1024;

/** Faults of the file or the machine: trying again at once would change nothing. */
const LASTING_FAULTS: ReadonlySet<string> = new Set([
  'not_found',
  'pin_mismatch',
  'model_rejected',
  'unsupported',
  'bad_argument',
  'addon_unusable',
]);

/** A line that was just begun, and what ends it for good. */
export interface Connection {
  readonly line: GuardLine;
  /** How it ended, in words for an administrator. */
  readonly ended: Promise<string>;
  close(): void;
}

export interface SupervisedOptions {
  /** Starts a guard, or reaches one; throws GuardFault. */
  readonly connect: () => Connection | Promise<Connection>;
  /** Whether a missing opinion counts as a missed deadline (rule 10 of docs/guarantees.md). */
  readonly required: () => boolean;
  /** Longest time that one text may take, whatever the caller would wait. */
  readonly deadlineMs: number;
  /** Told whenever a guard has begun to serve. */
  readonly onReady: (ready: Ready) => void | Promise<void>;
  /** Told of every state that it enters. */
  readonly onStatus?: (status: GuardStatus) => void;
  readonly clock: Clock;
  /** Factor of all pauses; tests make them short. */
  readonly pace?: number;
}

/** What came of the texts that were to be scored. */
export interface GuardCounts {
  readonly scored: number;
  /** Answered without the model: the same was scored before. */
  readonly remembered: number;
  readonly late: number;
  readonly absent: number;
  readonly restarts: number;
}

/** A guard that is started again when it dies, with longer and longer pauses. */
export class SupervisedGuard implements Guard {
  readonly #o: SupervisedOptions;
  readonly #counts = { scored: 0, remembered: 0, late: 0, absent: 0, restarts: 0 };
  #status: GuardStatus = { kind: 'starting' };
  #connection: Connection | null = null;
  #live: Promise<GuardLine> | null = null;
  /** What the guard that serves now has said: another one may say something else. */
  #remembered = new RememberedScores();
  #settled = Promise.withResolvers<void>();
  #pauseMs = FIRST_PAUSE_MS;
  #timer: NodeJS.Timeout | null = null;
  #noted: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(o: SupervisedOptions) {
    this.#o = o;
    void this.#start();
  }

  get status(): GuardStatus {
    return this.#status;
  }

  get counts(): GuardCounts {
    return { ...this.#counts };
  }

  get isRequired(): boolean {
    return this.#o.required();
  }

  /** Whether calls are judged as they should be: a guard that is needed is there. */
  get isFit(): boolean {
    return this.#status.kind === 'ready' || !this.#o.required();
  }

  /** Resolves when the first attempt has come to an end, or after so long. */
  async settled(mostMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, mostMs);
    await Promise.race([this.#settled.promise, promise]);
    clearTimeout(timer);
  }

  async score(o: Question & { readonly deadlineMs: number }): Promise<GuardScores> {
    const remembered = this.#remembered;
    const key = remembered.keyOf(o);
    const known = remembered.get(key);
    if (known !== null) {
      this.#counts.remembered += 1;
      return known;
    }
    const deadlineMs = Math.min(o.deadlineMs, this.#o.deadlineMs);
    const signal = AbortSignal.timeout(Math.max(1, Math.ceil(deadlineMs)));
    const scores = await this.#ask(o, deadlineMs, signal).catch((fault: unknown) => {
      if (fault instanceof GuardFault) return null;
      throw fault;
    });
    if (scores !== null) {
      this.#counts.scored += 1;
      remembered.set(key, scores);
      return scores;
    }
    const missed = this.#o.required() ? 'late' : 'absent';
    this.#counts[missed] += 1;
    return missed;
  }

  /** What the guard counts; null while there is none. */
  async stats(): Promise<Readonly<Record<string, number>> | null> {
    const line = await this.#lineNow();
    const answer = await line
      ?.ask({ type: 'stats' }, { signal: AbortSignal.timeout(2_000) })
      .catch(() => null);
    return answer?.type === 'stats' ? answer.stats : null;
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const connection = this.#connection;
    connection?.close();
    await connection?.ended;
    await this.#noted;
  }

  async #ask(
    o: { readonly segments: readonly GuardSegment[]; readonly labels: readonly string[] },
    deadlineMs: number,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, number>> {
    const chars = o.segments.reduce((sum, { text }) => sum + text.length, 0);
    if (chars > MOST_CHARS) throw new GuardFault('too_long', 'The text is longer than the guard takes.');
    const began = performance.now();
    const line = await withdrawable(this.#live ?? Promise.reject(gone()), signal);
    const left = deadlineMs - (performance.now() - began);
    if (left <= 0) throw new GuardFault('deadline', 'The guard did not start in time.');
    const { segments, labels } = o;
    const answer = await line.ask(
      {
        type: 'score',
        segments: segments.slice(-MOST_SEGMENTS).map((one) => ({ ...one })),
        labels: [...labels],
        deadlineMs: left,
      },
      { signal },
    );
    if (answer.type !== 'scores') throw gone();
    // What was not asked for is not heard.
    return new Map(Object.entries(answer.scores).filter(([label]) => labels.includes(label)));
  }

  async #lineNow(): Promise<GuardLine | null> {
    return this.#status.kind === 'ready' ? ((await this.#live?.catch(() => null)) ?? null) : null;
  }

  #enter(status: GuardStatus): void {
    // An end that was asked for is no failure, and nobody is to be told of one.
    if (this.#closed) return;
    // A guard that keeps failing has been failing since the first time.
    const since = this.#status.kind === 'failing' && status.kind === 'failing' ? this.#status.since : null;
    this.#status = since !== null && status.kind === 'failing' ? { ...status, since } : status;
    this.#o.onStatus?.(this.#status);
  }

  async #start(): Promise<void> {
    let pause: number | null = null;
    const { clock } = this.#o;
    // From the first moment on there is something to wait for: a text that comes meanwhile is not lost.
    const live = Promise.withResolvers<GuardLine>();
    live.promise.catch(() => {});
    this.#live = live.promise;
    try {
      const connection = await this.#o.connect();
      if (this.#closed) {
        live.reject(gone());
        return connection.close();
      }
      this.#connection = connection;
      const ready = await connection.line.ready;
      const began = clock.now();
      const { model, architecture, backend, preset } = ready;
      this.#enter({ kind: 'ready', model, architecture, backend, preset });
      live.resolve(connection.line);
      this.#noted = Promise.resolve(this.#o.onReady(ready));
      await this.#noted;
      this.#settled.resolve();
      const reason = await connection.ended;
      this.#remembered = new RememberedScores();
      if (clock.now() - began > LASTING_MS) this.#pauseMs = FIRST_PAUSE_MS;
      this.#enter({ kind: 'failing', reason: `The guard's process is gone: ${reason}.`, since: clock.now() });
    } catch (fault) {
      live.reject(fault);
      if (!(fault instanceof GuardFault)) throw fault;
      const ended = fault.code === 'closed' ? await this.#connection?.ended : undefined;
      const reason = ended === undefined ? fault.message : `The guard's process did not start: ${ended}.`;
      if (LASTING_FAULTS.has(fault.code)) pause = REFUSED_PAUSE_MS;
      this.#enter({ kind: 'failing', reason, since: clock.now() });
      this.#connection?.close();
    }
    this.#connection = null;
    this.#live = null;
    this.#settled.resolve();
    if (this.#closed) return;
    pause ??= this.#pauseMs;
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
    this.#timer = setTimeout(
      () => {
        this.#counts.restarts += 1;
        void this.#start();
      },
      pause * (this.#o.pace ?? 1),
    );
    this.#timer.unref();
  }
}

function gone(): GuardFault {
  return new GuardFault('closed', 'There is no guard now.');
}

/** Waits for a value no longer than the signal allows. */
async function withdrawable<T>(value: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(new GuardFault('deadline', 'The guard did not start in time.'));
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([value, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
