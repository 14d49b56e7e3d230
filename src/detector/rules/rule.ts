import type { Severity } from '../../core/index.ts';

/** What a rule looks at: a call before it is made, or the text that came back. */
export type EventKind = 'call' | 'result';

/** One test of one field. Exactly one of `equals`, `oneOf`, `contains` and `regex` is set. */
export interface Leaf {
  /** `host`, `args`, … or a path into a JSON value: `args.command`, `body.items[].url`, `args.*`. */
  readonly field: string;
  readonly equals?: string;
  readonly oneOf?: readonly string[];
  /** Case is ignored. */
  readonly contains?: string;
  /** Case is ignored. */
  readonly regex?: string;
  /** Whose syntax the expression is in; ours is RE2's. */
  readonly dialect?: Dialect;
  /** At least one of these stands in the text as well, in any case. */
  readonly words?: readonly string[];
  /** Matches that are no matches: looked at one by one, whatever else the text says. */
  readonly except?: Except;
  /** Look also at what the text says behind percent, base64 and hex codings. */
  readonly encodings?: boolean;
}

/** An allow-list for the value of a match: the group `value` of the expression (`value2` to `value9` in its other branches), or else all of the match. */
export interface Except {
  /** Host names; `*.example.com` for all names below. The value may be a URL or `host:port/path`. */
  readonly hosts?: readonly string[];
  /** Whole values, in any case. */
  readonly values?: readonly string[];
  /** An expression that matches the whole value. */
  readonly regex?: string;
}

export type Dialect = 're2' | 'javascript' | 'python';

export interface Step {
  readonly on: EventKind;
  readonly match: Stateless;
}

/** A condition of one event. */
export type Stateless =
  | Leaf
  | { readonly all: readonly Stateless[] }
  | { readonly any: readonly Stateless[] }
  | { readonly not: Stateless };

/** Steps that events of one session take one after the other; the last one is the event at hand. */
export interface Sequence {
  readonly steps: readonly Step[];
  /** From the first step to the last, milliseconds. */
  readonly withinMs: number;
  /** From the first step to the last, calls; null: as many as the time allows. */
  readonly withinCalls: number | null;
}

/** So many events of one session; the event at hand is one of them. */
export interface Count {
  readonly match: Stateless;
  readonly atLeast: number;
  readonly withinMs: number;
  /** Count different values of this field instead of events. */
  readonly distinct: string | null;
}

export type Condition =
  | Stateless
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition }
  | { readonly sequence: Sequence }
  | { readonly count: Count };

/** What an event is made of in a case: field names and texts; `args` and `body` may be JSON. */
export interface Sample {
  readonly fields: ReadonlyMap<string, unknown>;
  readonly on: EventKind;
  /** Milliseconds since the event before. */
  readonly afterMs: number;
  /** How often it happens. */
  readonly times: number;
}

/** The events of one embedded case; the rule is to match, or not, at the last of them. */
export type Case = readonly Sample[];

export interface Rule {
  readonly id: string;
  /** The format that it was written in: `sallyport`, `canaryai`, `atr`. */
  readonly format: string;
  readonly title: string;
  readonly description: string;
  readonly severity: Severity;
  readonly score: number;
  readonly references: readonly string[];
  readonly on: readonly EventKind[];
  readonly match: Condition;
  readonly cases: { readonly match: readonly Case[]; readonly pass: readonly Case[] };
  readonly place: Place;
}

export interface Place {
  /** Relative to the folder of rules. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
}

/** Findings of `rules` that are known and accepted; until `expires`, and for a reason. */
export interface Suppression {
  readonly rules: readonly string[];
  /** Ids of agents; empty: all. */
  readonly agents: readonly string[];
  /** Names of services or tools; empty: all. */
  readonly services: readonly string[];
  /** Milliseconds since the epoch; null: does not expire. */
  readonly expiresAt: number | null;
  readonly reason: string;
  readonly place: Place;
}

export function isLeaf(condition: Condition): condition is Leaf {
  return 'field' in condition;
}
