import { isUtf8 } from 'node:buffer';
import { canonicalJson } from '../audit/index.ts';
import type { Call, Finding } from '../core/index.ts';
import type { Guard, GuardScores, GuardSegment } from '../guard/index.ts';
import { guardFinding } from './guard-finding.ts';
import { ordersIn, weighed } from './reading/index.ts';

/** Of a text the guard reads its beginning and its end: what is longer has its orders seen by the other checks. */
const TEXT_CHARS = 16 * 1024;
const TAIL_CHARS = 4 * 1024;
const INSTRUCTION_CHARS = 2 * 1024;
/** So much is looked through for runs that say nothing, half of it at the end. */
const LOOKED_CHARS = 256 * 1024;
/**
 * A longer run of letters and digits holds no words (base64, hex); of it the beginning and the end are read. It is tried at
 * its beginning alone: the time is linear in the text.
 */
const RUN = /(?<![A-Za-z0-9+/_=-])[A-Za-z0-9+/_=-]{257,}/g;
/** So many in a row are words and no accident. */
const PRINTABLE = /[\t\n\r\x20-\x7e]{8,}/g;
const RUN_HEAD_CHARS = 128;
const RUN_TAIL_CHARS = 64;
const MAX_ALARMS = 32;

/** A result that the guard took for an injection. */
export interface GuardAlarm {
  readonly tool: string;
  readonly score: number;
}

/** What the guard knows of one session, and what it still works on. */
export class GuardMemory {
  /** The user's last words, for the guard to measure by; empty when they are not known. */
  #instruction = '';
  readonly #pending = new Set<Promise<unknown>>();
  readonly #alarms = new Map<string, GuardAlarm>();
  /** A result's score did not come: nobody knows what the agent has read. */
  #missed = false;

  get instruction(): string {
    return this.#instruction;
  }

  /** By the id of the call that was answered. */
  get alarms(): ReadonlyMap<string, GuardAlarm> {
    return this.#alarms;
  }

  instruct(text: string): void {
    this.#instruction = text.slice(0, INSTRUCTION_CHARS);
  }

  alarm(callId: string, alarm: GuardAlarm): void {
    this.#alarms.set(callId, alarm);
    if (this.#alarms.size <= MAX_ALARMS) return;
    for (const first of this.#alarms.keys()) {
      this.#alarms.delete(first);
      return;
    }
  }

  miss(): void {
    this.#missed = true;
  }

  /** Whether a score was missed since this was last asked. */
  takeMissed(): boolean {
    const missed = this.#missed;
    this.#missed = false;
    return missed;
  }

  /** Keeps `work` in view until it has settled. */
  async during<T>(work: Promise<T>): Promise<T> {
    this.#pending.add(work);
    try {
      return await work;
    } finally {
      this.#pending.delete(work);
    }
  }

  /** Settles when what is outstanding now is there; what comes meanwhile is the next call's to wait for. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }
}

/** Asks the guard, and remembers what it said. A guard that is absent has no opinion, and is not asked. */
export class GuardWatch {
  readonly #guard: Guard;
  readonly #readingMs: number;

  /** `readingMs`: how long what an agent has read may take, and the session's next call waits for it. */
  constructor(guard: Guard, readingMs: number) {
    this.#guard = guard;
    this.#readingMs = readingMs;
  }

  get absent(): boolean {
    return this.#guard.status.kind === 'absent';
  }

  /** Scores what the agent has just read. The session's next call waits for it. */
  async result(
    memory: GuardMemory,
    o: {
      readonly tenant: string;
      readonly callId: string;
      readonly tool: string;
      readonly text: string;
      /** Names that the agent's own call gave. */
      readonly carried: ReadonlySet<string>;
    },
  ): Promise<readonly Finding[]> {
    if (this.absent || o.text.trim() === '') return [];
    const scores = await memory.during(this.#ofResult(memory, o));
    if (scores === 'late') memory.miss();
    const finding = guardFinding('injection', scores, `${o.tool.slice(0, 64)} (${o.callId.slice(0, 64)})`);
    if (finding === null) return [];
    memory.alarm(o.callId, { tool: o.tool, score: finding.score });
    return [finding];
  }

  /** The model's word on the whole result and on what it orders, weighed with what is read without a model. */
  async #ofResult(
    memory: GuardMemory,
    {
      tenant,
      text,
      carried,
    }: { readonly tenant: string; readonly text: string; readonly carried: ReadonlySet<string> },
  ): Promise<GuardScores> {
    const { excerpts, naming, aside, foreign } = ordersIn(text, memory.instruction, carried);
    const [whole = 'absent', ...near] = await Promise.all(
      [bounded(text), ...excerpts].map((part) =>
        this.#guard.score({
          tenant,
          segments: segmentsOf(memory, { role: 'result', text: part }),
          labels: ['injection'],
          deadlineMs: this.#readingMs,
        }),
      ),
    );
    if (whole === 'absent') return whole;
    const probabilities: number[] = [];
    for (const scores of [whole, ...near]) {
      if (typeof scores === 'string') return 'late';
      probabilities.push(scores.get('injection') ?? 0);
    }
    const [first = 0, ...others] = probabilities;
    const worst = others.length === 0 ? null : Math.max(...others);
    return new Map([['injection', weighed({ whole: first, near: worst, naming, aside, foreign })]]);
  }

  /**
   * Scores a call by what the user asked for, once the scores of what the session had read are there; one that `asks`
   * for none (it only looks) waits for those alone. `late` when its own does not come within `deadlineMs`, or one of
   * those not within the time that they have (docs/adr/0021).
   */
  async call(
    memory: GuardMemory,
    o: {
      readonly tenant: string;
      readonly call: Call;
      readonly asks: boolean;
      readonly deadlineMs: number;
    },
  ): Promise<GuardScores> {
    if (this.absent) return 'absent';
    const { tenant, deadlineMs } = o;
    const asked = o.asks
      ? this.#guard.score({
          tenant,
          segments: segmentsOf(memory, { role: 'call', text: bounded(callText(o.call)) }),
          labels: ['malicious_call'],
          deadlineMs,
        })
      : 'absent';
    const settled = await within(memory.settled(), this.#readingMs);
    const scores = await asked;
    return settled && !memory.takeMissed() ? scores : 'late';
  }
}

/** A call as the model has learned to read it (native/train/corpus.py, `call_text`). */
function callText(call: Call): string {
  if (call.kind === 'tool') return `${call.tool} ${canonicalJson(call.args)}`;
  const { scheme, host, port } = call.origin;
  const url = `${scheme}://${host}:${port}${call.path}${call.query === '' ? '' : `?${call.query}`}`;
  const body = call.body.kind === 'buffered' ? readable(call.body.bytes) : '';
  return `http_${call.method.toLowerCase()} ${canonicalJson({ url, ...(body === '' ? {} : { body }) })}`;
}

/** Of bytes that are no UTF-8 what a person would find in them, too: one bad byte hides no words. */
function readable(bytes: Uint8Array): string {
  if (isUtf8(bytes)) return Buffer.from(bytes).toString('utf8');
  return (Buffer.from(bytes).toString('latin1').match(PRINTABLE) ?? []).join('\n');
}

function segmentsOf({ instruction }: GuardMemory, last: GuardSegment): readonly GuardSegment[] {
  return instruction === '' ? [last] : [{ role: 'instruction', text: instruction }, last];
}

function bounded(whole: string): string {
  const looked =
    whole.length <= LOOKED_CHARS
      ? whole
      : `${whole.slice(0, LOOKED_CHARS / 2)}\n${whole.slice(-LOOKED_CHARS / 2)}`;
  const text = looked.replace(RUN, (run) => `${run.slice(0, RUN_HEAD_CHARS)}…${run.slice(-RUN_TAIL_CHARS)}`);
  if (text.length <= TEXT_CHARS) return text;
  return `${text.slice(0, TEXT_CHARS - TAIL_CHARS)}\n${text.slice(-TAIL_CHARS)}`;
}

/** Whether `work` was done in time. */
async function within(work: Promise<void>, milliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
