import type { AuditEvent, AuditEventOf, Clock } from '../core/index.ts';

/** A refusal of a request that nobody known has made. */
export type StrangerEvent =
  | AuditEventOf<'call.refused'>
  | AuditEventOf<'passport.refused'>
  | AuditEventOf<'user.refused'>;

/** Records of one kind at once, and then a second: a scan is told in full, a flood as a number. */
const BURST = 100;
const PER_SECOND = 1;
/** How long a count may wait for more of its kind. */
const FLUSH_MS = 10_000;

interface Kind {
  tokens: number;
  refilledAt: number;
  counted: number;
  since: number;
}

/**
 * Keeps those who have no passport from filling the log: refusals of strangers are recorded one by one while they are
 * few, and beyond that counted, each kind by itself, so that a flood of one hides no other. Each count becomes a
 * `refusals.counted` record. What an agent is refused never comes here: it is always recorded by itself.
 */
export class StrangerRecords {
  readonly #append: (event: AuditEvent) => Promise<unknown>;
  readonly #clock: Clock;
  readonly #tenant: string;
  readonly #onFault: (fault: unknown) => void;
  readonly #kinds = new Map<string, Kind>();
  #timer: NodeJS.Timeout | null = null;

  constructor(o: {
    readonly append: (event: AuditEvent) => Promise<unknown>;
    readonly clock: Clock;
    readonly tenant: string;
    readonly onFault: (fault: unknown) => void;
  }) {
    this.#append = o.append;
    this.#clock = o.clock;
    this.#tenant = o.tenant;
    this.#onFault = o.onFault;
  }

  /** Resolves when the record is durable, or has been counted. Rejects when the log takes no records. */
  async record(event: StrangerEvent): Promise<void> {
    const kind = this.#kindOf(event);
    if (kind.tokens >= 1) {
      kind.tokens -= 1;
      await this.#append(event);
      return;
    }
    if (kind.counted === 0) kind.since = event.at;
    kind.counted += 1;
    this.#timer ??= setTimeout(() => this.flush().catch(this.#onFault), FLUSH_MS).unref();
  }

  /** Records what has been counted; called by itself, and before the log is closed. */
  async flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const at = this.#clock.now();
    for (const [name, kind] of this.#kinds) {
      if (kind.counted === 0) continue;
      const [of = '', code = ''] = name.split(' ');
      const data = { of, code, count: kind.counted, since: kind.since };
      kind.counted = 0;
      await this.#append({ type: 'refusals.counted', tenant: this.#tenant, at, data });
    }
  }

  /** The kinds are few: both the gate's and OAuth's codes are closed sets. */
  #kindOf(event: StrangerEvent): Kind {
    const name = `${event.type} ${whyOf(event)}`;
    const now = this.#clock.now();
    let kind = this.#kinds.get(name);
    if (kind === undefined) {
      kind = { tokens: BURST, refilledAt: now, counted: 0, since: now };
      this.#kinds.set(name, kind);
    }
    const passed = Math.max(0, now - kind.refilledAt);
    kind.tokens = Math.min(BURST, kind.tokens + (passed * PER_SECOND) / 1000);
    kind.refilledAt = now;
    return kind;
  }
}

function whyOf(event: StrangerEvent): string {
  switch (event.type) {
    case 'call.refused':
      return event.data.code;
    case 'passport.refused':
      return event.data.error;
    case 'user.refused':
      return event.data.method;
  }
}
