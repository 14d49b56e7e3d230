import type { GuardEngine, Prefix } from './engine/engine.ts';
import { GuardFault } from './engine/fault.ts';
import type { GuardSegment } from './guard.ts';
import type { Preset } from './presets/index.ts';

type Scoring<K extends Preset['scoring']['kind']> = Extract<Preset['scoring'], { readonly kind: K }>;

export interface ScorerRequest {
  readonly segments: readonly GuardSegment[];
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

/** Scores by the detector's labels, and what it took. */
export interface Scored {
  readonly scores: ReadonlyMap<string, number>;
  readonly tokens: number;
  readonly windows: number;
  readonly queueMs: number;
  readonly computeMs: number;
}

const NOTHING: Scored = { scores: new Map(), tokens: 0, windows: 0, queueMs: 0, computeMs: 0 };

/** An engine driven by a preset: the detector's segments in, the detector's labels out. */
export interface Scorer {
  readonly labels: readonly string[];
  score(request: ScorerRequest): Promise<Scored>;
}

export async function makeScorer(engine: GuardEngine, preset: Preset): Promise<Scorer> {
  const { scoring } = preset;
  switch (scoring.kind) {
    case 'labelled':
      return labelled(engine);
    case 'classifier':
      return classifier(engine, scoring);
    case 'question':
      return question(engine, scoring, preset.windowTokens);
  }
}

function labelled(engine: GuardEngine): Scorer {
  const { labels } = engine.info;
  return {
    labels,
    async score({ segments, ...how }) {
      if (segments.length === 0) return NOTHING;
      const { probabilities, promptTokens, windows, queueMs, computeMs } = await engine.score({
        segments: withinHalf(engine, segments),
        ...how,
      });
      const scores = new Map(labels.map((name, at) => [name, probabilities[at] ?? 0]));
      return { scores, tokens: promptTokens, windows, queueMs, computeMs };
    },
  };
}

/**
 * What stands before the judged text may fill half of the model's window and no more (docs/reference/guard-model.md):
 * of longer words the ends stay, the last ones first. Else an agent that is told much could not be judged at all.
 */
function withinHalf(engine: GuardEngine, segments: readonly GuardSegment[]): readonly GuardSegment[] {
  // Each segment has a token that opens it and one that closes it; cut text may tokenize a little longer.
  let left = Math.floor(engine.info.context / 2) - 4 * segments.length - 8;
  const kept: GuardSegment[] = [];
  for (const { role, text } of segments.slice(0, -1).reverse()) {
    const ids = engine.tokenize(text);
    if (left <= 0) break;
    kept.unshift({ role, text: ids.length <= left ? text : engine.detokenize(ids.slice(-left)) });
    left -= ids.length;
  }
  return [...kept, ...segments.slice(-1)];
}

function classifier(engine: GuardEngine, rule: Scoring<'classifier'>): Scorer {
  if (engine.info.labels.length <= rule.danger) {
    throw new GuardFault('unsupported', 'This model has fewer outputs than its preset reads.');
  }
  return {
    labels: labelsOf(rule.answers),
    async score({ segments, ...how }) {
      const judged = segments.at(-1);
      const label = judged === undefined ? undefined : rule.answers[judged.role];
      if (judged === undefined || label === undefined) return NOTHING;
      const text = rule.whitespace === 'removed' ? judged.text.replaceAll(/\s+/gu, '') : judged.text;
      const answer = await engine.score({ text, riskLabel: rule.danger, ...how });
      const danger = softmax(answer.logits, rule.temperature)[rule.danger] ?? 0;
      const { promptTokens: tokens, windows, queueMs, computeMs } = answer;
      return { scores: new Map([[label, danger]]), tokens, windows, queueMs, computeMs };
    },
  };
}

async function question(
  engine: GuardEngine,
  rule: Scoring<'question'>,
  windowTokens: number,
): Promise<Scorer> {
  const prefix = await engine.prefix(rule.head);
  const { shared, choices } = answersOf(engine, rule);
  // What all answers begin with is put into the model's mouth.
  const tail = Int32Array.from([...engine.tokenize(rule.tail, { trusted: true }), ...shared]);
  const room = Math.min(windowTokens, engine.info.context - 1) - prefix.tokens - tail.length;
  if (room < 64) throw new GuardFault('too_long', "The preset's template fills the model's context.");
  return {
    labels: labelsOf(rule.answers),
    async score({ segments, ...how }) {
      const judged = segments.at(-1);
      const label = judged === undefined ? undefined : rule.answers[judged.role];
      if (judged === undefined || label === undefined) return NOTHING;
      const bodies = windowsOf(engine, rule, segments, room);
      const scored = await scoreAll(engine, { prefix, bodies, tail, choices, how });
      const dangers = scored.map(({ probabilities }) =>
        probabilities.reduce((sum, p, at) => sum + p * (rule.choices[at]?.danger ?? 0), 0),
      );
      return {
        scores: new Map([[label, Math.min(1, Math.max(...dangers))]]),
        tokens: scored.reduce((sum, one) => sum + one.promptTokens, 0),
        windows: scored.length,
        queueMs: Math.max(...scored.map((one) => one.queueMs)),
        computeMs: Math.max(...scored.map((one) => one.computeMs)),
      };
    },
  };
}

/** All windows at once; the first one that fails is the answer, and the others are given up. */
function scoreAll(
  engine: GuardEngine,
  o: {
    readonly prefix: Prefix;
    readonly bodies: readonly (readonly number[])[];
    readonly tail: Int32Array;
    readonly choices: readonly number[];
    readonly how: Omit<ScorerRequest, 'segments'>;
  },
) {
  return Promise.all(
    o.bodies.map((body) =>
      engine.score({
        prefix: o.prefix,
        tokens: Int32Array.from([...body, ...o.tail]),
        labels: o.choices,
        ...o.how,
      }),
    ),
  );
}

/**
 * What is judged, as tokens between the template's: one window, or several that overlap by a quarter. The words
 * around it keep at most half of the room, their ends first: what was said last counts most.
 */
function windowsOf(
  engine: GuardEngine,
  rule: Scoring<'question'>,
  segments: readonly GuardSegment[],
  room: number,
): readonly (readonly number[])[] {
  const ours = (text: string) => [...engine.tokenize(text, { trusted: true })];
  const pieceOf = ({ role, text }: GuardSegment) => ({
    before: ours(rule.pieces[role].before),
    // Special tokens that an attacker writes are characters here.
    body: [...engine.tokenize(text)],
    after: ours(rule.pieces[role].after),
  });
  const judged = segments.at(-1);
  if (judged === undefined) return [];
  const context: number[] = [];
  if (rule.reads === 'all') {
    for (const segment of segments.slice(0, -1).reverse()) {
      const { before, body, after } = pieceOf(segment);
      const left = Math.floor(room / 2) - context.length - before.length - after.length;
      if (left <= 0) break;
      context.unshift(...before, ...body.slice(-left), ...after);
    }
  }
  const last = pieceOf(judged);
  const size = Math.max(16, room - context.length - last.before.length - last.after.length);
  const step = size - Math.floor(size / 4);
  const windows: number[][] = [];
  for (let at = 0; at === 0 || at + size - step < last.body.length; at += step) {
    windows.push([...context, ...last.before, ...last.body.slice(at, at + size), ...last.after]);
  }
  return windows;
}

/** The tokens that the answers share at their beginning, and the one by which each differs. */
function answersOf(
  engine: GuardEngine,
  rule: Scoring<'question'>,
): { readonly shared: readonly number[]; readonly choices: readonly number[] } {
  const all = rule.choices.map(({ text }) => [...engine.tokenize(text, { trusted: true })]);
  let length = 0;
  while (all.every((ids) => ids[length] !== undefined && ids[length] === all[0]?.[length])) length += 1;
  const choices = all.map((ids) => ids[length]).filter((id) => id !== undefined);
  if (new Set(choices).size !== all.length) {
    throw new GuardFault('unsupported', 'Two answers of the preset begin with the same token of this model.');
  }
  return { shared: all[0]?.slice(0, length) ?? [], choices };
}

function labelsOf(answers: Readonly<Partial<Record<string, string>>>): readonly string[] {
  return [...new Set(Object.values(answers).filter((one) => one !== undefined))];
}

function softmax(logits: readonly number[], temperature: number): readonly number[] {
  const most = Math.max(...logits);
  const weights = logits.map((one) => Math.exp((one - most) / temperature));
  const sum = weights.reduce((total, one) => total + one, 0);
  return weights.map((one) => one / sum);
}
