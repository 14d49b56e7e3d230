import { z } from 'zod';

const HOUR_MS = 60 * 60 * 1000;
/** Active hours that are remembered, the newest ones: some weeks of office hours. */
const MAX_HOURS = 240;
/** Before so many active hours on so many days, everything is how an agent begins. */
const WARM_UP_HOURS = 24;
const WARM_UP_DAYS = 3;
/** An hour of the day is a habit to break only for an agent that has been seen on so many days. */
const WARM_UP_CLOCK_DAYS = 10;
/** How many spreads above the median are no chance any more, and the least that counts as one spread. */
const SPREADS = 8;
/** Makes the median distance from the median what a standard deviation is, for values that scatter normally. */
const MAD_TO_SIGMA = 1.4826;
/** Credentials that are told apart within one hour. */
const MAX_CREDENTIALS = 1_000;

export type Measure = (typeof MEASURES)[number];
const MEASURES = ['calls', 'bytesOut', 'credentials'] as const;

/** Below these nothing is too much, however quiet the agent was before. */
const FLOORS: Readonly<Record<Measure, { readonly spread: number; readonly least: number }>> = {
  calls: { spread: 10, least: 120 },
  bytesOut: { spread: 16 * 1024, least: 1024 * 1024 },
  credentials: { spread: 0.5, least: 5 },
};

type Sample = Readonly<Record<Measure, number>>;

/** What an agent does in this hour against what it has done in others. */
export interface Deviation {
  readonly measure: Measure;
  readonly value: number;
  readonly median: number;
  /** From here on it is too much. */
  readonly limit: number;
  readonly hours: number;
  readonly since: number;
}

/** The agent works at an hour of the day (UTC) at which it has never worked. */
export interface StrangeHour {
  readonly hour: number;
  readonly days: number;
  readonly usual: readonly number[];
}

const stored = z.object({
  since: z.number(),
  days: z.int(),
  lastDay: z.int(),
  clock: z.array(z.int()).length(24),
  hours: z.array(z.tuple([z.number(), z.number(), z.number()])).max(MAX_HOURS),
});

/**
 * The habits of one agent: its active hours, by median and median distance, which a few wild hours do not move. A wild
 * hour is remembered as no more than what would have been too much, so that habits can not be trained away in a night.
 */
export class Habits {
  #since: number;
  #days = 0;
  #lastDay = -1;
  readonly #clock: number[] = new Array<number>(24).fill(0);
  readonly #hours: Sample[] = [];
  #hour: number;
  #calls = 0;
  #bytesOut = 0;
  readonly #credentials = new Set<string>();
  #limits: ReadonlyMap<Measure, { readonly median: number; readonly limit: number }> | null = null;
  /** What the clock said before this hour was counted in. */
  #clockBefore: readonly number[] = [];

  constructor(now: number) {
    this.#since = now;
    this.#hour = Math.floor(now / HOUR_MS);
  }

  /** What an earlier process knew; new habits where it is not readable. */
  static read(text: string | null, now: number): Habits {
    const habits = new Habits(now);
    const parsed = text === null ? null : stored.safeParse(safeJson(text));
    if (parsed?.success !== true) return habits;
    const { since, days, lastDay, clock, hours } = parsed.data;
    habits.#since = since;
    habits.#days = days;
    habits.#lastDay = lastDay;
    habits.#clock.splice(0, 24, ...clock);
    for (const [calls, bytesOut, credentials] of hours) habits.#hours.push({ calls, bytesOut, credentials });
    return habits;
  }

  write(): string {
    return JSON.stringify({
      since: this.#since,
      days: this.#days,
      lastDay: this.#lastDay,
      clock: this.#clock,
      hours: this.#hours.map(({ calls, bytesOut, credentials }) => [calls, bytesOut, credentials]),
    });
  }

  /** Counts a call. True when an hour has ended with it: worth writing down. */
  take(call: { readonly bytesOut: number; readonly credential: string | null }, now: number): boolean {
    const ended = this.#turn(now);
    this.#calls += 1;
    this.#bytesOut += call.bytesOut;
    if (call.credential !== null && this.#credentials.size < MAX_CREDENTIALS)
      this.#credentials.add(call.credential);
    return ended;
  }

  /** What of this hour is too much; nothing before the agent has habits. */
  deviations(): readonly Deviation[] {
    if (this.#hours.length < WARM_UP_HOURS || this.#days < WARM_UP_DAYS) return [];
    const limits = this.#limits ?? this.#measure();
    const now = this.#current();
    return MEASURES.flatMap((measure) => {
      const known = limits.get(measure);
      if (known === undefined || now[measure] <= known.limit) return [];
      return [{ measure, value: now[measure], ...known, hours: this.#hours.length, since: this.#since }];
    });
  }

  /** Null when it is a usual hour, or nobody knows yet. The hours beside a usual one are usual. */
  strangeHour(): StrangeHour | null {
    if (this.#days < WARM_UP_CLOCK_DAYS || this.#clockBefore.length === 0) return null;
    const hour = this.#hour % 24;
    const around = [hour, (hour + 23) % 24, (hour + 1) % 24];
    if (around.some((one) => (this.#clockBefore[one] ?? 0) > 0)) return null;
    const usual = this.#clockBefore.flatMap((count, one) => (count > 0 ? [one] : []));
    return { hour, days: this.#days, usual };
  }

  /** Ends the hour before this one, if it is over. A clock that goes back changes nothing. */
  #turn(now: number): boolean {
    const hour = Math.floor(now / HOUR_MS);
    if (hour <= this.#hour && this.#calls > 0) return false;
    const ended = this.#calls > 0;
    if (ended) this.#remember();
    this.#hour = Math.max(hour, this.#hour);
    this.#calls = 0;
    this.#bytesOut = 0;
    this.#credentials.clear();
    this.#limits = null;
    this.#clockBefore = [...this.#clock];
    this.#clock[this.#hour % 24] = (this.#clock[this.#hour % 24] ?? 0) + 1;
    const day = Math.floor(this.#hour / 24);
    if (day !== this.#lastDay) this.#days += 1;
    this.#lastDay = day;
    return ended;
  }

  #remember(): void {
    const limits = this.#measure();
    const now = this.#current();
    const atMost = (measure: Measure) =>
      this.#hours.length < WARM_UP_HOURS
        ? now[measure]
        : Math.min(now[measure], limits.get(measure)?.limit ?? now[measure]);
    this.#hours.push({
      calls: atMost('calls'),
      bytesOut: atMost('bytesOut'),
      credentials: atMost('credentials'),
    });
    if (this.#hours.length > MAX_HOURS) this.#hours.shift();
  }

  #current(): Sample {
    return { calls: this.#calls, bytesOut: this.#bytesOut, credentials: this.#credentials.size };
  }

  #measure(): ReadonlyMap<Measure, { readonly median: number; readonly limit: number }> {
    this.#limits = new Map(
      MEASURES.map((measure) => {
        const values = this.#hours.map((sample) => sample[measure]);
        const median = medianOf(values);
        const distance = medianOf(values.map((value) => Math.abs(value - median)));
        const { spread, least } = FLOORS[measure];
        const limit = Math.max(least, median + SPREADS * Math.max(spread, distance * MAD_TO_SIGMA));
        return [measure, { median, limit }];
      }),
    );
    return this.#limits;
  }
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Damaged: the agent begins again, and nothing of it is taken for a habit.
    return null;
  }
}
