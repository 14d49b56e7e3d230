import { appendFile, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Call, Clock, JsonValue, Subject } from '../../core/index.ts';
import { scrubSecrets, scrubValue } from './scrub-secrets.ts';

export interface RecorderOptions {
  readonly directory: string;
  /** Whole days that a recording is kept. */
  readonly days: number;
  /** Of one day, so much is recorded, and no more. */
  readonly maxBytesADay: number;
  readonly clock: Clock;
  readonly onFault: (fault: unknown) => void;
}

/** One line of a recording. */
export interface Recorded {
  readonly at: number;
  readonly sid: string;
  readonly agentId: string;
  readonly kind: 'instruction' | 'call' | 'result';
  readonly callId: string;
  readonly tool: string;
  readonly args: JsonValue;
  readonly text: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const DAY_FILE = /^(\d{4}-\d{2}-\d{2})\.jsonl$/;
/** Longer texts lose their middle: what the detector reads of them is kept. */
const MAX_CHARS = 64 * 1024;
const FLUSH_MS = 1_000;

/**
 * Writes what live sessions did to files, a day each, so that they can be replayed. Off unless an administrator turned it
 * on; texts are scrubbed before they are written, and no call waits for it.
 */
export class Recorder {
  readonly #o: RecorderOptions;
  #lines: string[] = [];
  #bytes = 0;
  #day = '';
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: RecorderOptions) {
    this.#o = options;
  }

  call({ sid, agentId }: Pick<Subject, 'sid' | 'agentId'>, call: Call, at: number): void {
    const { tool, args, callId } = callAsTool(call);
    this.#record({ at, sid, agentId, kind: 'call', callId, tool, args: scrubValue(args), text: '' });
  }

  text(
    { sid, agentId }: Pick<Subject, 'sid' | 'agentId'>,
    o: {
      readonly phase: 'instruction' | 'result';
      readonly callId: string;
      readonly tool: string;
      readonly text: string;
      readonly now: number;
    },
  ): void {
    const { phase: kind, callId, tool, now: at } = o;
    const text = scrubSecrets(shortened(o.text));
    this.#record({ at, sid, agentId, kind, callId, tool, args: null, text });
  }

  async close(): Promise<void> {
    await this.#flush();
  }

  #record(line: Recorded): void {
    const day = new Date(line.at).toISOString().slice(0, 10);
    if (day !== this.#day) {
      // What is left of the day before is written first.
      void this.#flush();
      this.#day = day;
      this.#bytes = 0;
      this.#writing = this.#writing.then(() => this.#beginDay(day)).catch(this.#o.onFault);
    }
    const text = `${JSON.stringify(line)}\n`;
    this.#bytes += text.length;
    if (this.#bytes > this.#o.maxBytesADay) return;
    this.#lines.push(text);
    this.#timer ??= setTimeout(() => void this.#flush(), FLUSH_MS).unref();
  }

  #flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const [lines, day] = [this.#lines, this.#day];
    this.#lines = [];
    if (lines.length > 0) {
      this.#writing = this.#writing
        .then(() => appendFile(join(this.#o.directory, `${day}.jsonl`), lines.join(''), { mode: 0o600 }))
        .catch(this.#o.onFault);
    }
    return this.#writing;
  }

  async #beginDay(day: string): Promise<void> {
    const { directory, days, clock } = this.#o;
    await mkdir(directory, { recursive: true, mode: 0o700 });
    for (const name of await readdir(directory)) {
      const named = DAY_FILE.exec(name)?.[1];
      if (named !== undefined && Date.parse(named) < clock.now() - days * DAY_MS)
        await rm(join(directory, name));
    }
    // After a restart the day goes on where it was.
    if (day === this.#day) this.#bytes += await sizeOf(join(directory, `${day}.jsonl`));
  }
}

/** A request in the terms of a trace, which knows tools alone. */
function callAsTool(call: Call): {
  readonly tool: string;
  readonly args: JsonValue;
  readonly callId: string;
} {
  if (call.kind === 'tool') return { tool: call.tool, args: call.args, callId: call.hostCallId };
  const { scheme, host, port } = call.origin;
  const url = `${scheme}://${host}:${port}${call.path}${call.query === '' ? '' : `?${call.query}`}`;
  const body = call.body.kind === 'buffered' ? shortened(Buffer.from(call.body.bytes).toString('utf8')) : '';
  const args = { service: call.service.name, url, ...(body === '' ? {} : { body }) };
  return { tool: `http_${call.method.toLowerCase()}`, args, callId: call.id };
}

function shortened(text: string): string {
  if (text.length <= MAX_CHARS) return text;
  return `${text.slice(0, MAX_CHARS / 2)}\n${text.slice(-MAX_CHARS / 2)}`;
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (fault) {
    if (fault instanceof Error && 'code' in fault && fault.code === 'ENOENT') return 0;
    throw fault;
  }
}
