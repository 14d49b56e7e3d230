import { createHash } from 'node:crypto';
import type { RuleEvent } from './event.ts';
import type { Literals } from './regex/literals.ts';
import type { Count, Rule, Sequence, Stateless } from './rule.ts';
import { CountTrack, type RuleState, type Seen, SequenceTrack, type Track } from './state.ts';

/** A condition over several events of one session. */
export interface Several {
  /** Takes the event in; the events that fulfil the condition with this one, or null. */
  readonly advance: (event: RuleEvent, state: RuleState, seen: Seen) => readonly Seen[] | null;
  /** At least one of these stands in an event that it has to see; null: it has to see all. */
  readonly trigger: Literals;
}

type Compile = (condition: Stateless) => {
  readonly test: (event: RuleEvent) => boolean;
  readonly trigger: Literals;
};

/** `key` names the condition in the state of a session. */
export function severalOf(
  condition: { readonly sequence: Sequence } | { readonly count: Count },
  key: string,
  rule: Rule,
  compile: Compile,
): Several {
  return 'sequence' in condition
    ? sequenceOf(condition.sequence, key, compile)
    : countOf(condition.count, key, rule, compile);
}

function sequenceOf(sequence: Sequence, key: string, compile: Compile): Several {
  const steps = sequence.steps.map(({ on, match }) => ({ on, ...compile(match) }));
  const triggers = steps.map(({ trigger }) => trigger);
  return {
    trigger: triggers.includes(null) ? null : triggers.flatMap((one) => one ?? []),
    advance: (event, state, seen) => {
      const begun = state.peek(key);
      const taken = steps.map(
        ({ on, test }, index) => (begun || index === 0) && on === event.on && test(event),
      );
      if (!taken.includes(true)) return null;
      return state.track(key, () => new SequenceTrack(), isSequence).advance(sequence, taken, seen);
    },
  };
}

function countOf(count: Count, key: string, rule: Rule, compile: Compile): Several {
  const { test, trigger } = compile(count.match);
  const { distinct } = count;
  return {
    trigger,
    advance: (event, state, seen) => {
      if (!rule.on.includes(event.on) || !test(event)) return null;
      const value = distinct === null ? null : digestOf(event.texts(distinct)[0]?.value ?? '');
      const track = state.track(key, () => new CountTrack(), isCount);
      return track.add(count, value, seen.at) ? [seen] : null;
    },
  };
}

function isSequence(track: Track): track is SequenceTrack {
  return track instanceof SequenceTrack;
}

function isCount(track: Track): track is CountTrack {
  return track instanceof CountTrack;
}

/** Values may be long; different ones need only be told apart. */
function digestOf(value: string): string {
  return createHash('sha256').update(value).digest('base64url').slice(0, 12);
}
